import { bytesSource, openSafetensors } from '@dit/checkpoint'
import { reference } from '@dit/tensor'
import { beforeAll, expect, test } from 'vitest'
import { type ModelSource, openPipeline } from '../../src/index.js'
import { smallModel } from './small-model.js'

const SAMPLE = { classes: [1], steps: 2, sampler: 'ddim' } as const

let file: Uint8Array<ArrayBuffer>
let wanted: Uint8ClampedArray
beforeAll(async () => {
  const model = await smallModel()
  file = await model.save()
  const [{ data }] = await model.pictures(SAMPLE)
  wanted = data
})

test.each<[string, () => ModelSource]>([
  ['bytes', () => file],
  ['an ArrayBuffer', () => file.buffer],
  ['a Blob', () => new Blob([file])],
  ['a File', () => new File([file], 'mine.safetensors')],
])('%s of a file make the same picture and have its class names', async (_, source) => {
  const dit = await openPipeline(source(), { backend: reference() })
  const [{ data, className }] = await dit.pictures(SAMPLE)
  expect(className).toBe('square')
  expect(data).toEqual(wanted)
  dit.dispose()
})

test('opened tensors are weights of ours that do not say their process, until the caller does', async () => {
  const { metadata: _metadata, ...bare } = await openSafetensors(bytesSource(file, 'mine'))
  const process = { kind: 'gaussian', meanType: 'x0' } as const
  const dit = await openPipeline(bare, { backend: reference(), process, heads: 2 })
  expect(dit.classNames).toEqual(['0', '1'])
  const [{ data }] = await dit.pictures(SAMPLE)
  expect(data).toEqual(wanted)
  dit.dispose()
})

test('messages name a File as its owner does', async () => {
  await expect(openPipeline(new File(['no weights at all'], 'notes.txt'), { backend: reference() })).rejects.toThrow(
    /notes\.txt/,
  )
})
