import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorAlong, pathOf, type Solver } from './paths.js'

const EXAMPLE = new URL('../../../docs/examples/own-solver.mjs', import.meta.url)

test.each(['preserving', 'exploding'] as const)('the solver of docs/own-solver.md is of order 2 (%s)', async (kind) => {
  const { adamsBashforth } = (await import(EXAMPLE.pathname)) as { adamsBashforth: Solver }
  const coarse = await errorAlong(adamsBashforth, pathOf(kind, 60))
  const fine = await errorAlong(adamsBashforth, pathOf(kind, 120))
  expect(coarse / fine).toBeGreaterThan(0.8 * 2 ** 2)
  expect(fine).toBeLessThan(0.1)
})

test('it stands there as it is, in at most 20 lines', () => {
  const code = readFileSync(EXAMPLE, 'utf8').split('\n').slice(1).join('\n')
  const page = readFileSync(new URL('../../../docs/own-solver.md', import.meta.url), 'utf8')
  expect(page).toContain(code)
  expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
})
