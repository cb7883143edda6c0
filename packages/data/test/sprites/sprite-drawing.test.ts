import { expect, test } from 'vitest'
import { SPRITE_CLASSES } from '../../src/sprites/sprite-classes.js'
import { choicesRead, drawSprite, NUM_CHOICES, spriteCode, spriteDrawing } from '../../src/sprites/sprite-drawing.js'

test('a class has at least nine choices of form, and each of them shows', () => {
  for (const [label, sprite] of SPRITE_CLASSES.entries()) {
    const count = choicesRead(sprite)
    expect(count).toBeGreaterThanOrEqual(9)
    expect(count).toBeLessThanOrEqual(NUM_CHOICES)
    const shows = new Set<number>()
    for (let k = 0; k < 24; k++) {
      const { choices } = spriteDrawing(7, 8 * k + label)
      const before = spriteCode(sprite, choices)
      for (let choice = 0; choice < count; choice++) {
        for (const value of [0.05, 0.35, 0.65, 0.95]) {
          if (shows.has(choice)) break
          const after = spriteCode(sprite, choices.with(choice, value))
          if (after.some((code, at) => code !== before[at])) shows.add(choice)
        }
      }
    }
    expect([sprite, shows.size]).toEqual([sprite, count])
  }
})

test('forms and colours have numbers of their own', () => {
  const [one, other] = [spriteDrawing(1, 3), spriteDrawing(1, 11)]
  const recolored = { ...one, colors: other.colors }
  expect(spriteCode(recolored.sprite, recolored.choices)).toEqual(spriteCode(one.sprite, one.choices))
  expect(drawSprite(recolored)).not.toEqual(drawSprite(one))
})

test('sprites keep off the border but for smoke, bubbles and wide wings', () => {
  for (let index = 0; index < 400; index++) {
    const { sprite, choices } = spriteDrawing(2, index)
    const code = spriteCode(sprite, choices)
    const border = code.filter((_, at) => at % 32 === 0 || at % 32 === 31 || at < 32 || at >= 31 * 32)
    const covered = border.filter((value) => value >= 5).length
    expect([index, sprite, covered <= 6]).toEqual([index, sprite, true])
  }
})

test('refuses an index that is none', () => {
  expect(() => spriteDrawing(0, -1)).toThrow('spriteDrawing: index must be a non-negative integer (index is -1)')
})
