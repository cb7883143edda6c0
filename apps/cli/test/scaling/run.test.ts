import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keptFolder, runDit } from '../support/run-dit.js'

const folder = keptFolder()
const file = join(folder, 'tiny.json')
const out = join(folder, 'tiny')
const grid = {
  train: { data: 'shapes', size: 8, batch: 4, valShare: 0.0001, sampleEvery: null, warmup: 1, backend: 'reference' },
  models: [
    { name: 'a', hidden: 8, depth: 1, heads: 1, patch: 4 },
    { name: 'b', hidden: 16, depth: 1, heads: 2, patch: 4 },
  ],
  budgets: [1e6, 2e6],
}
const write = (changes: object = {}) => writeFileSync(file, JSON.stringify({ ...grid, ...changes }))
const names = (csv: string) =>
  csv
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[0])
const results = () => readFileSync(join(out, 'results.csv'), 'utf8')

test('a part stops after its minutes with a checkpoint, and the same command goes on to the end', async () => {
  write()
  const part = await runDit(['scaling', 'run', file, '--minutes', '0.00001'])
  expect(part).toMatchObject({ code: 0, stderr: 'dit: 0 of 4 runs are done; the same command goes on\n' })
  const whole = await runDit(['scaling', 'run', file])
  expect(whole.code).toBe(0)
  expect(whole.stdout).toContain(
    `all 4 runs are done: ${join(out, 'results.csv')}\nfit them with: dit scaling fit ${out}\n`,
  )
  expect(names(results())).toEqual(['a-1e6-s0', 'b-1e6-s0', 'a-2e6-s0', 'b-2e6-s0'])
  expect(results()).toMatch(/\na-1e6-s0,\d+,\d+,\d+,\d+,1000000,0\.\d+,yes,/)
  expect(readFileSync(join(out, 'grid.json'), 'utf8')).toBe(readFileSync(file, 'utf8'))
})

test('finished runs are kept when the grid grows', async () => {
  const log = join(out, 'runs', 'a-1e6-s0', 'log.jsonl')
  const before = statSync(log).mtimeMs
  write({ budgets: [1e6, 2e6, 3e6] })
  const { stdout } = await runDit(['scaling', 'run', file])
  expect(stdout).toMatch(/^4 of 6 runs are done already\n\nrun 5 of 6: a-3e6-s0\n/)
  expect(statSync(log).mtimeMs).toBe(before)
  expect(names(results()).length).toBe(6)
})

test('a plan tells steps, cost and parts, and what is finished, and writes nothing', async () => {
  const other = join(folder, 'other.json')
  writeFileSync(other, JSON.stringify(grid))
  const { code, stdout } = await runDit(['scaling', 'run', other, '--plan', '--minutes', '1'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/\na-1e6-s0 +[\d.,k ]+ +\d[\d.,k ]+ +\d+ .* (ms|s)\n/)
  expect(stdout).toMatch(/\n4 of 4 runs are left: about .*, or 1 part of 1 minutes\n$/)
  expect(() => statSync(join(folder, 'other'))).toThrow('ENOENT')
  const done = await runDit(['scaling', 'run', file, '--plan', '--no-time'])
  expect(done.stdout).toMatch(/finished\n/)
  expect(done.stdout).not.toContain('timing')
})

test('a run that was begun with other options is not taken for that of the grid', async () => {
  write({ train: { ...grid.train, batch: 2 } })
  const { code, stderr } = await runDit(['scaling', 'run', file])
  expect(code).toBe(2)
  expect(stderr).toContain('a-1e6-s0 was begun with other options (batch: 4 then, 2 now); rename the model')
})

test('a grid that is refused replaces nothing, and another one keeps the rows of the first', async () => {
  const kept = readFileSync(join(out, 'grid.json'), 'utf8')
  expect((await runDit(['scaling', 'run', file])).code).toBe(2)
  expect(readFileSync(join(out, 'grid.json'), 'utf8')).toBe(kept)
  const before = names(results())
  const another = join(folder, 'another.json')
  writeFileSync(another, JSON.stringify({ ...grid, models: [{ ...grid.models[0], name: 'c' }], budgets: [1e6] }))
  const { code, stderr } = await runDit(['scaling', 'run', another, '--out', out])
  expect(code).toBe(0)
  expect(stderr).toContain(
    'grid.json is replaced: a, b of the grid before are not in this one; what was trained stays in results.csv',
  )
  expect(names(results())).toEqual(['c-1e6-s0', ...before.toSorted()])
})

test('a run that diverges is told, left out, and not tried again', async () => {
  const wild = join(folder, 'wild.json')
  const models = [{ ...grid.models[0], lr: 1e30, clip: null }, grid.models[1]]
  writeFileSync(wild, JSON.stringify({ ...grid, models, budgets: [2e6] }))
  const { code, stderr } = await runDit(['scaling', 'run', wild])
  expect(code).toBe(0)
  expect(stderr).toContain('a-2e6-s0 diverged and is left out: ')
  const again = await runDit(['scaling', 'run', wild])
  expect(again.stdout).toMatch(/^2 of 2 runs are done already\n/)
  expect(again.stderr).toContain('a-2e6-s0 diverged before and is not tried again')
  const fit = await runDit(['scaling', 'fit', join(folder, 'wild')])
  expect(fit.stderr).toMatch(/there is 1|there are 1/)
})

test.each<[string, object | string, string[], string]>([
  ['no held-out pictures', { ...grid, train: { size: 8 } }, [], '"train" needs "valShare"'],
  ['no JSON', '{', [], 'is not valid JSON'],
])('refuses %s', async (_what, contents, args, message) => {
  const wrong = join(folder, 'wrong.json')
  writeFileSync(wrong, typeof contents === 'string' ? contents : JSON.stringify(contents))
  const { code, stderr } = await runDit(['scaling', 'run', wrong, ...args])
  expect(code).toBe(2)
  expect(stderr).toContain(message)
  rmSync(wrong)
  expect((await runDit(['scaling', 'run', wrong])).stderr).toContain(`${wrong}: there is no such file`)
})

test('plans with the grid in the folder of results: models, steps and a command that trains them', async () => {
  const table = join(folder, 'law.csv')
  const sizes = [9e3, 3e4, 1e5, 3e5]
  const lines = sizes.flatMap((n) =>
    [1e3, 1e4, 1e5, 1e6].map((d, i) => {
      const wiggle = 1 + 0.002 * Math.sin(n + i)
      return `${n},${d},${(0.02 + 3 * n ** -0.4 + 2 * d ** -0.45) * wiggle}`
    }),
  )
  writeFileSync(table, `multiplyAdds,examples,loss\n${lines.join('\n')}\n`)
  const withPatches = join(folder, 'law-patches.csv')
  writeFileSync(withPatches, `multiplyAdds,examples,loss,patch\n${lines.map((line) => `${line},2`).join('\n')}\n`)
  const args = [
    'scaling',
    'plan',
    table,
    '--grid',
    join(folder, 'other.json'),
    '--estimator',
    'log-squares',
    '--resamples',
    '20',
  ]
  const { code, stdout } = await runDit([...args, '--budget', '3e9'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^hidden +depth +heads +patch/)
  expect(stdout).toMatch(
    /\n {2}dit train --data shapes --size 8 --batch 4 --val-share 0\.0001 --sample-every none --warmup 1 --backend reference --hidden \d+ --depth \d+ --heads \d+ --patch 4 --steps \d+\n/,
  )
  const none = await runDit([
    ...args.map((arg) => (arg === table ? withPatches : arg)),
    '--budget',
    '3e9',
    '--patch',
    '2',
  ])
  expect(none.stderr).toContain('--patch 2: there is none; there are patches of 4')
  const timed = await runDit([...args, '--budget', '2s', '--json'])
  expect(timed.code).toBe(0)
  const { choices } = JSON.parse(timed.stdout.trim().split('\n').at(-1)!) as { choices: Record<string, number>[] }
  for (const { seconds, steps } of choices) {
    expect(seconds).toBeLessThanOrEqual(2)
    expect(steps).toBeGreaterThan(0)
  }
})
