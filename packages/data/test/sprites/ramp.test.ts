import { expect, test } from 'vitest'
import { groundRamp, NUM_TONES, ramp } from '../../src/sprites/ramp.js'

const brightness = (tones: Uint8Array) =>
  Array.from({ length: NUM_TONES }, (_, tone) => tones[3 * tone] + tones[3 * tone + 1] + tones[3 * tone + 2])

test('the base tone is the colour itself', () => {
  // A third of a turn is green: value 0.8, saturation 0.5 leave 0.4 of red and blue.
  expect([...ramp([1 / 3, 0.5, 0.8]).subarray(6, 9)]).toEqual([102, 204, 102])
})

test('tones rise from a dark outline that is not black to a shine', () => {
  for (let hue = 0; hue < 1; hue += 0.05) {
    const tones = brightness(ramp([hue, 0.65, 0.8]))
    expect(tones).toEqual(tones.toSorted((a, b) => a - b))
    expect(tones[0]).toBeGreaterThan(40)
    expect(tones[0]).toBeLessThan(200)
    expect(tones[4] - tones[0]).toBeGreaterThan(350)
  }
})

test('shadows of orange lean to red and lights to yellow', () => {
  const [, shadow, base, light] = [0, 1, 2, 3].map((tone) => ramp([0.08, 0.7, 0.8]).subarray(3 * tone, 3 * tone + 3))
  const greenOverRed = ([red, green]: Uint8Array) => green / red
  expect(greenOverRed(shadow)).toBeLessThan(greenOverRed(base))
  expect(greenOverRed(light)).toBeGreaterThan(greenOverRed(base))
})

test('the tones of the ground lie close together, but for its shadow', () => {
  const tones = brightness(groundRamp([0.5, 0.3, 0.6]))
  expect(tones[4] - tones[2]).toBeLessThan(0.15 * tones[2])
  expect(tones[1]).toBeLessThan(0.85 * tones[2])
})
