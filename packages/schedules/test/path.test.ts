import { expect, test } from 'vitest'
import { flowPath, partOfPath, pathThrough, reversedPath } from '../src/index.js'

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

test('a reversed path ends in pure noise, and begins at the last level that a network of timesteps knows', () => {
  const down = pathThrough(
    [
      { alpha: 0.6, sigma: 0.8, timestep: 9 },
      { alpha: 0.8, sigma: 0.6, timestep: 4 },
      { alpha: 1, sigma: 0, timestep: 0 },
    ],
    { startScale: 1.5 },
  )
  const up = reversedPath(down)
  expect(up.startScale).toBe(1)
  expect(up.steps.map(({ from, to }) => [from.alpha, to.alpha])).toEqual([
    [0.8, 0.6],
    [0.6, 0],
  ])
  expect(up.steps.map(({ from }) => from.timestep)).toEqual([4, 9])
  expect(up.steps[1].to).toEqual({ alpha: 0, sigma: 1.5, timestep: 9 })
})

test('a path of times is reversed as it is, and twice reversed it is the same', () => {
  const down = flowPath({ numSteps: 4 })
  const up = reversedPath(down)
  expect(up.steps[0].from).toBe(down.steps[3].to)
  expect(up.steps[3].to).toBe(down.steps[0].from)
  expect(up.at!(0.3)).toEqual(down.at!(0.3))
  expect(reversedPath(up).steps).toEqual(down.steps)
})
