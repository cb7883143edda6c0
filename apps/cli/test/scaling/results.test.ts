import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readResults } from '../../src/scaling/read-results.js'
import { parseTable, toCsv } from '../../src/scaling/table-text.js'
import { temporaryFolder } from '../support/run-dit.js'
import { makeLoggedRun, tinyConfig } from '../support/tiny-run.js'

describe('a table', () => {
  test('comes back from CSV as it was written, a run that diverged and one that is not finished included', () => {
    const rows = parseTable(
      'x.csv',
      'name,params,examples,loss,finished\n"a, ""b""",1_000,20,0.5,\nc,2000,30,nan,yes\nd,2000,40,,no\n',
    )
    expect(rows.map(({ name, params, loss, finished }) => [name, params, loss, finished])).toEqual([
      ['a, "b"', 1000, 0.5, true],
      ['c', 2000, NaN, true],
      ['d', 2000, null, false],
    ])
    expect(parseTable('y.csv', toCsv(rows))).toEqual(rows)
  })

  test('has a column for each measure and the ends of its interval, which may be absent', () => {
    const text = 'params,examples,loss,kid,kidLow,kidHigh,frechet\n1000,20,0.5,-0.01,-0.02,0.03,7\n2000,30,0.4,,,,6\n'
    const rows = parseTable('x.csv', text)
    expect(rows[0].measures).toEqual({
      kid: { value: -0.01, low: -0.02, high: 0.03 },
      frechet: { value: 7, low: null, high: null },
    })
    expect(rows[1].measures).toEqual({ frechet: { value: 6, low: null, high: null } })
    const written = toCsv(rows)
    expect(written.split('\n')[0]).toMatch(/,lr,frechet,frechetLow,frechetHigh,kid,kidLow,kidHigh$/)
    expect(parseTable('y.csv', written)).toEqual(rows)
    expect(() => parseTable('x', 'params,examples,kidLo\n1,2,3\n')).toThrow(
      'unknown column "kidLo"; did you mean kidLow?',
    )
    expect(() => parseTable('x', 'params,examples,kid\n1,2,low\n')).toThrow('kid must be a number (got "low")')
  })

  test('may be JSON, and have the columns of other programs', () => {
    const [row] = parseTable('x.json', '[{ "n": 1e6, "D": 2e5, "held-out": 0.1, "C": 1.2e12 }]')
    expect(row).toMatchObject({ name: 'x.json: row 1', params: 1e6, examples: 2e5, loss: 0.1, compute: 1.2e12 })
  })

  test('may begin a line with an empty cell, and count FLOPs, two a multiply-add', () => {
    const [row] = parseTable('x.csv', 'name,params,examples,loss,flops\n,100,1000,0.5,6e5\n')
    expect(row).toMatchObject({ name: 'x.csv: line 2', params: 100, examples: 1000, loss: 0.5, compute: 3e5 })
  })

  test.each([
    ['', 'x is empty'],
    ['params,examples\n', 'x has no rows'],
    ['params,exmples\n1,2\n', 'x: the header: unknown column "exmples"; did you mean examples?'],
    ['params,examples,notes\n1,2,a\n', 'x: the header: unknown column "notes"; leave out what is not of a run'],
    ['params;examples\n1;2\n', 'x: the header has semicolons; cells must be separated by commas'],
    ['params,examples\n1\n', 'x: line 2 has 1 cells, but the header has 2'],
    ['params,examples\nmany,2\n', 'x: line 2: params must be a number (got "many")'],
    ['params,examples\n-1,2\n', 'x: line 2: params must not be negative (got -1)'],
    ['params,loss\n1,2\n', 'x: line 2 has no examples, the number that the run has drawn'],
    ['examples,loss\n1,2\n', 'x: line 2 has neither params nor multiplyAdds, the size of the network'],
    ['params,examples,finished\n1,2,maybe\n', 'x: line 2: finished must be yes or no (got "maybe")'],
    ['{"a": 1}', 'x must hold a list of objects'],
    ['[1', 'x is not valid JSON'],
  ])('is refused: %j', (text, message) => {
    expect(() => parseTable('x', text)).toThrow(message)
  })
})

describe('runs', () => {
  test('are rows with the error after their last step', async () => {
    const folder = temporaryFolder()
    await mkdir(join(folder, 'a'))
    await makeLoggedRun(join(folder, 'a'), [1, 0.8, 0.5, 0.4])
    const [bare] = await readResults([folder])
    expect(bare).toMatchObject({ name: 'a', examples: 8, loss: null, finished: true, patch: 2, hidden: 8 })
    expect(bare.compute).toBe(3 * bare.multiplyAdds! * 8)
    const lines = [1, 2, 3, 4].map((step) =>
      JSON.stringify({ step, loss: 1, learningRate: 1e-3, ...(step === 4 ? { measures: { heldOut: 0.25 } } : {}) }),
    )
    await writeFile(join(folder, 'a', 'log.jsonl'), `${lines.join('\n')}\n`)
    expect((await readResults([join(folder, 'a')]))[0]).toMatchObject({ loss: 0.25, epochs: 8 / 60 })
    await writeFile(join(folder, 'a', 'log.jsonl'), `${lines.slice(0, 3).join('\n')}\n`)
    expect((await readResults([folder]))[0]).toMatchObject({ loss: null, finished: false, examples: 6 })
    await writeFile(join(folder, 'a.json'), JSON.stringify({ budget: 5, flags: {}, diverged: true }))
    expect((await readResults([folder]))[0]).toMatchObject({ loss: NaN, finished: true, budget: 5 })
  })

  test('have the measures of their samples after the last step', async () => {
    const folder = temporaryFolder()
    await makeLoggedRun(folder, [1, 1, 1, 1])
    const interval = { low: 0.1, high: 0.3, standardError: 0.05 }
    const lines = [1, 2, 3, 4].map((step) => {
      const results = [{ measure: 'kid', value: step / 10, interval: step === 4 ? interval : null }]
      return JSON.stringify({ step, loss: 1, learningRate: 1e-3, measures: {}, evaluation: { results, count: 10 } })
    })
    await writeFile(join(folder, 'log.jsonl'), `${lines.join('\n')}\n`)
    expect((await readResults([folder]))[0].measures).toEqual({ kid: { value: 0.4, low: 0.1, high: 0.3 } })
    await writeFile(join(folder, 'log.jsonl'), `${lines.slice(0, 3).join('\n')}\n`)
    expect((await readResults([folder]))[0].measures).toEqual({})
  })

  test('of a module have the counts that its spec tells', async () => {
    const folder = temporaryFolder()
    await makeLoggedRun(folder, [1, 1, 1, 1])
    const spec = { parameters: 12, multiplyAdds: 34 }
    const objective = { kind: 'module', module: '/own.mjs', sha256: '0'.repeat(64), spec }
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...tinyConfig, objective }))
    expect((await readResults([folder]))[0]).toMatchObject({ params: 12, multiplyAdds: 34, compute: 3 * 34 * 8 })
    const bare = { ...objective, spec: {} }
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...tinyConfig, objective: bare }))
    expect((await readResults([folder]))[0]).toMatchObject({ params: null, multiplyAdds: null, compute: null })
  })

  test('that are not there, given twice or none are refused', async () => {
    const folder = temporaryFolder()
    await expect(readResults([join(folder, 'x')])).rejects.toThrow('there is no such file or folder; give tables, runs')
    await expect(readResults([folder])).rejects.toThrow(`${folder} holds no runs. `)
    await expect(readResults([folder, join(folder, '.')])).rejects.toThrow('is given twice')
  })
})
