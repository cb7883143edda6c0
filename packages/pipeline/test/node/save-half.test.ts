import { join } from 'node:path'
import { openTensorFile } from '@dit/checkpoint/node'
import { openPipeline, type Pipeline } from '@dit/pipeline/node'
import { dispose } from '@dit/tensor'
import { afterAll, expect, test } from 'vitest'
import { backend, classNames, folderOfTest, FORMS, OPTIONS, picturesOf } from '../support/every-form.js'
import { movedParams, PROCESSES, tinyNetwork as network } from '../support/tiny-models.js'

const params = movedParams(network, backend)
afterAll(() => dispose(params))

const inMemory = (): Promise<Pipeline> =>
  openPipeline({ network, params, process: PROCESSES['a curved flow'], classNames }, { backend })

// A weight is off by 1 part in 2,000 in f16 and in 250 in bf16; weights, of about 0.1, add up to a level or a few of 255.
test.each([
  ['f16', 'F16', 3],
  ['bf16', 'BF16', 16],
] as const)('%s keeps the description, and moves pictures by some levels of 255', async (dtype, stored, bound) => {
  const folder = folderOfTest()
  const model = await inMemory()
  const [{ description }, want] = [model, await model.pictures(OPTIONS)]
  for (const [name, opened = name, options] of FORMS) {
    await model.save(join(folder, name), { ...options, dtype })
    const file = join(folder, opened)
    const half = await openPipeline(file, { backend })
    expect(half, name).toMatchObject({ assumptions: [], description })
    const pictures = await picturesOf(half)
    const levels = pictures.flatMap(({ data }, i) => Array.from(data, (x, at) => Math.abs(x - want[i].data[at])))
    expect(Math.max(...levels), name).toBeLessThanOrEqual(bound)
  }
  const file = await openTensorFile(join(folder, 'model.pt'))
  expect(new Set([...file.entries.values()].map((entry) => entry.dtype))).toEqual(new Set([stored]))
  await file.close()
})

test('weights held in half precision are saved as the numbers that they are', async () => {
  const folder = folderOfTest()
  const whole = await inMemory()
  await whole.save(join(folder, 'whole.safetensors'))
  const held = await openPipeline(join(folder, 'whole.safetensors'), { backend, half: 'f16' })
  const want = await held.pictures(OPTIONS)
  await held.save(join(folder, 'held.pt'))
  held.dispose()
  expect(await picturesOf(await openPipeline(join(folder, 'held.pt'), { backend }))).toEqual(want)
})
