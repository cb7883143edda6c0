import { expect, test } from 'vitest'
import {
  ball,
  both,
  box,
  column,
  disc,
  type Form,
  plate,
  polygon,
  stroke,
  toned,
  where,
  within,
} from '../../src/sprites/forms.js'
import { TONES } from '../../src/sprites/ramp.js'

const { shadow, base, light, shine } = TONES
const tone = ({ toneAt }: Form, x: number, y: number) => toneAt(x, y)

test('a ball is lit from the upper left, with a shine, and dark at the lower right', () => {
  const sphere = ball(16, 16, 10, 10)
  expect(tone(sphere, 16 - 4.2, 16 - 5)).toBe(shine)
  expect(tone(sphere, 9, 14)).toBe(light)
  expect(tone(sphere, 16, 16)).toBe(base)
  expect(tone(sphere, 21, 22)).toBe(shadow)
  expect(tone(sphere, 16 + 7.2, 16 + 7.2)).toBe(-1)
})

test('a box has round corners, a light edge and a dark one', () => {
  const form = box(4, 4, 12, 12, 2)
  expect(tone(form, 4.3, 4.3)).toBe(-1)
  expect(tone(form, 8.5, 4.5)).toBe(light)
  expect(tone(form, 8.5, 11.5)).toBe(shadow)
  expect(tone(form, 8.5, 8.5)).toBe(base)
})

test('a column follows its profile', () => {
  const cone = column(16, 10, 20, 5, (v) => 5 * v)
  expect(tone(cone, 16, 10)).toBe(-1)
  expect([14.5, 12.5].map((x) => tone(cone, x, 15) >= 0)).toEqual([true, false])
  expect(tone(cone, 12, 19.9)).toBe(light)
  expect(tone(cone, 20, 19.9)).toBe(shadow)
})

test('a polygon, a stroke, a disc and a plate hold what they should', () => {
  const triangle = polygon([16, 4, 24, 20, 8, 20])
  expect([tone(triangle, 16, 10), tone(triangle, 9, 10), tone(triangle, 16, 21)]).toEqual([base, -1, -1])
  const line = stroke([4, 4], [12, 4], 2, light)
  expect([tone(line, 8, 4.9), tone(line, 8, 5.1), tone(line, 12.9, 4), tone(line, 13.1, 4)]).toEqual([
    light,
    -1,
    light,
    -1,
  ])
  expect([tone(disc(5, 5, 2, 1), 6.9, 5), tone(disc(5, 5, 2, 1), 5, 6.1)]).toEqual([base, -1])
  expect(plate(1, 2, 3, 4, shine)).toMatchObject({ left: 1, top: 2, right: 3, bottom: 4 })
})

test('forms are mirrored, cut and toned', () => {
  const pair = both(16, plate(4, 4, 6, 6, light))
  expect([5, 16, 27].map((x) => tone(pair, x, 5))).toEqual([light, -1, light])
  expect(pair).toMatchObject({ left: 4, right: 28 })
  const half = where(plate(0, 0, 10, 10), (x) => x < 5)
  expect([tone(half, 4, 5), tone(half, 6, 5)]).toEqual([base, -1])
  const cut = within(disc(5, 5, 3, 3), plate(0, 0, 10, 10, shine))
  expect([tone(cut, 5, 5), tone(cut, 9, 9)]).toEqual([shine, -1])
  const own = toned(disc(5, 5, 3, 3), (x, _, before) => before + (x < 5 ? 1 : 0))
  expect([tone(own, 4, 5), tone(own, 6, 5), tone(own, 9, 5)]).toEqual([base + 1, base, -1])
})
