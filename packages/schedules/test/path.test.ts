import { expect, test } from 'vitest'
import { partOfPath, pathThrough } from '../src/index.js'

const levels = [3, 2, 1, 0].map((i) => ({ alpha: 1 - i / 3, sigma: i / 3, timestep: i }))

test('a path steps from level to level, and a part of it begins and ends where it is told', () => {
  const path = pathThrough(levels, { startScale: 2 })
  expect(path.startScale).toBe(2)
  expect(path.steps.map(({ from, to }) => [from.timestep, to.timestep])).toEqual([
    [3, 2],
    [2, 1],
    [1, 0],
  ])
  expect(partOfPath(path, 1).steps).toEqual(path.steps.slice(1))
  expect(partOfPath(path, 0, 1).steps).toEqual(path.steps.slice(0, 1))
})

test('names what cannot be a path', () => {
  expect(() => pathThrough(levels.slice(0, 1))).toThrow('a path needs two levels (got 1)')
  expect(() => pathThrough([levels[0], { alpha: Number.NaN, sigma: 0, timestep: 0 }])).toThrow(
    'alpha and sigma must be finite, 0 or more (level 1 has NaN and 0)',
  )
  const path = pathThrough(levels)
  for (const [first, last] of [[3], [-1], [2, 1], [0, 4], [0.5]]) {
    expect(() => partOfPath(path, first, last)).toThrow('steps must lie in 0..3')
  }
})
