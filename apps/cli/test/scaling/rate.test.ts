import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keptFolder, runDit } from '../support/run-dit.js'

const folder = keptFolder()
const table = join(folder, 'rates.csv')

test('dit scaling rate prints a rule for the grid, and leaves diverged runs out by name', async () => {
  const lines = [32, 64, 128].flatMap((hidden) =>
    [3e-4, 1e-3, 3e-3].map((lr) => {
      const loss = 0.1 + 0.02 * Math.log10(lr / (1e-3 * (64 / hidden) ** 0.5)) ** 2
      return `m${hidden}-${lr},1000,100,${hidden},${lr},${loss}`
    }),
  )
  writeFileSync(table, ['name,params,examples,hidden,lr,loss', ...lines, 'wild,1000,100,64,1,nan'].join('\n'))
  const { code, stdout, stderr } = await runDit(['scaling', 'rate', table])
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'dit: wild is left out: it diverged\n' })
  expect(stdout).toMatch(/^hidden {2}best rate\n32 {6}0\.001414\n64 {6}0\.001\n/)
  expect(stdout).toMatch(/\n"learningRate": \{"rate":0\.001,"atHidden":64,"power":-0\.5\}\n$/)
})

test('refuses runs of one size that differ in more than their rate', async () => {
  const lines = [1e9, 1e9, 4e9].map((budget, i) => `64,${budget},${10 ** -i},0.${i + 1},1000,100`)
  writeFileSync(table, ['hidden,budget,lr,loss,params,examples', ...lines].join('\n'))
  expect(await runDit(['scaling', 'rate', table])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'runs of hidden 64 must differ in their learning rate only, but have budget 1000000000, 4000000000',
    ) as string,
  })
})

test('refuses runs without rates', async () => {
  writeFileSync(table, 'params,examples,loss\n1,2,3\n')
  expect(await runDit(['scaling', 'rate', table])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no run has a hidden size, a learning rate and a loss') as string,
  })
})
