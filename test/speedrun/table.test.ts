import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isSame, keepResults, readResults, type Result } from '../../tools/speedrun/results.js'
import { speedrunTables } from '../../tools/speedrun/table.js'

const work = mkdtempSync(join(tmpdir(), 'dit-speedrun-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

function result(row: string, seed: number, kid: number, minutes = 4): Result {
  return {
    row,
    set: 'heroes',
    minutes,
    seed,
    steps: 100,
    numSamples: 510,
    kid: { value: kid, low: kid - 0.1, high: kid + 0.2 },
    kidFloor: 0.01,
    classes: { share: 0.75, low: 0.7, high: 0.8, count: 510 },
  }
}

test('rows of a set and budget stand together, the smallest mean distance first, with the widest interval', () => {
  const results = [
    result('default', 1, 2),
    result('x0-patch-2', 0, 0.5),
    result('default', 0, 1),
    result('default', 0, 0.3, 40),
  ]
  const lines = speedrunTables({ results }).split('\n')
  expect(lines[0]).toBe('## heroes, 4 minutes')
  expect(lines[4]).toBe('| x0-patch-2 | predicts x0, patches of 2, width 64 | 0.5 | 0.4 to 0.7 | 75.0 % |')
  expect(lines[5]).toBe('| default | `dit train` as it is | 1, 2 | 0.9 to 2.2 | 75.0 % |')
  expect(lines[7]).toBe('## heroes, 40 minutes')
})

test('results are kept and found again', async () => {
  const path = join(work, 'kept', 'speedrun.json')
  expect(await readResults(path)).toEqual({ calibration: null, results: [] })
  const results = { calibration: null, results: [result('default', 1, 2)] }
  await keepResults(results, path)
  expect(await readResults(path)).toEqual(results)
  expect(isSame(results.results[0], { row: 'default', set: 'heroes', minutes: 4, seed: 1 })).toBe(true)
  expect(isSame(results.results[0], { row: 'default', set: 'heroes', minutes: 4, seed: 0 })).toBe(false)
})
