import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensorsFile } from '@dit/checkpoint/node'
import { beforeAll, expect, test } from 'vitest'
import { keptFolder, runDit, runProcess } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'
import { makeToldPictures, TOLD_FILES, toldTensors } from './support/told-pictures.js'

const folder = keptFolder()
const data = join(folder, 'data')
const run = join(folder, 'run')
const training = ['train', ...TINY, '--data', data, '--conditions=all', '--block=cross-attention', '--steps=4']

beforeAll(() => makeToldPictures(data))

test('a run measures the error on held-out pictures, and draws grids of what it was told', async () => {
  const flags = ['--out', run, '--sample-every=4', '--val-share=0.3', '--val-every=4']
  expect(await runDit([...training, ...flags])).toMatchObject({ code: 0 })
  expect(existsSync(join(run, 'samples', 'step-0000004.png'))).toBe(true)
  expect(readFileSync(join(run, 'log.jsonl'), 'utf8')).toContain('"heldOut"')
})

test('what is told may not change while a run is stopped, unless it is allowed', async () => {
  const [copy, out] = [join(folder, 'changed'), join(folder, 'run-changed')]
  cpSync(data, copy, { recursive: true })
  cpSync(run, out, { recursive: true })
  const metadata = { files: JSON.stringify(TOLD_FILES) }
  await writeSafetensorsFile(join(copy, 'conditions.safetensors'), toldTensors([0, 1, 2, 3, 4, 4]), { metadata })
  const resume = ['train', '--resume', out, '--data', copy, '--steps=5', '--allow-inexact']
  const told = await runDit(resume)
  expect(told).toMatchObject({ code: 0 })
  expect(told.stderr).toContain('resumed inexactly: what the network is told of the pictures has changed')
  await writeSafetensorsFile(
    join(copy, 'conditions.safetensors'),
    { ...toldTensors([0, 1, 2, 3, 4, 5]), style: { dtype: 'I32', shape: [6], data: Int32Array.of(0, 1, 2, 3, 4, 5) } },
    { metadata },
  )
  expect((await runDit(resume)).stderr).toContain(
    'style must be a label of 2 classes, as the network takes it (got a label of 6 classes)',
  )
})

test('workers are told what one would be', async () => {
  const logOf = async (out: string, ...args: string[]) => {
    const result = await runProcess([...training, '--out', join(folder, out), ...args])
    expect(result).toMatchObject({ code: 0 })
    const lines = readFileSync(join(folder, out, 'log.jsonl'), 'utf8')
      .trim()
      .split('\n')
    return lines.map((line) => (JSON.parse(line) as { loss: number }).loss)
  }
  const [one, two] = [await logOf('one'), await logOf('two', '--workers=2')]
  // Sums in another order, float32
  expect(one.length).toBe(4)
  for (const [i, loss] of two.entries()) expect(loss).toBeCloseTo(one[i], 5)
})
