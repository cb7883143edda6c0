import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { writeSafetensors } from '@dit/checkpoint'
import { writeTorchFile } from '@dit/checkpoint/node'
import { openExtractor } from '@dit/features/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EFFICIENT_NET_LITE0 } from '../../src/efficientnet/network.js'
import { storedShapes } from '../../src/network/load.js'
import { formulaFile, formulaPictures } from '../formula.js'

const backend = await cpu()
let folder: string
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-features-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('opens a file as torch saves it, by its content', async () => {
  const file = formulaFile(storedShapes(EFFICIENT_NET_LITE0))
  const tensors = [...file.entries].map(
    ([name, { shape }]) => [name, { dtype: 'F32', shape: [...shape], data: async () => file.float32(name) }] as const,
  )
  const { sha256 } = await writeTorchFile(at('weights.bin'), new Map(tensors))
  const extractor = await openExtractor(at('weights.bin'), { backend, efficientNet: { size: 32 } })
  expect(extractor.name).toBe('efficientnet-lite0')
  expect(extractor.fingerprint).toContain(`${sha256} 32x32`)
  const features = await extractor.extract(formulaPictures(2, 40, 40))
  expect(features['block-10'].shape).toEqual([2, 112])
  extractor.dispose()
})

test('says what is wrong with a name or a file', async () => {
  await expect(openExtractor(at('none.pth'), { backend })).rejects.toThrow(
    `openExtractor: there is no file ${at('none.pth')}`,
  )
  await writeFile(
    at('vae.safetensors'),
    writeSafetensors({ 'decoder.bias': { dtype: 'F32', shape: [1], data: Float32Array.of(1) } }),
  )
  await expect(openExtractor(at('vae.safetensors'), { backend })).rejects.toThrow(
    `weightsExtractor: ${at('vae.safetensors')} holds neither the FID Inception nor EfficientNet-Lite0 (its tensors: decoder.bias); export another network as ONNX`,
  )
  await writeFile(at('model.onnx'), Uint8Array.of(8, 8, 18, 0))
  await expect(openExtractor(at('model.onnx'), { backend })).rejects.toThrow(
    `weightsExtractor: ${at('model.onnx')} is an ONNX file, which does not say how pictures must be prepared; pass onnx: { runtime, size, mean, std }`,
  )
})

test('a safetensors file is none of ONNX, whatever the length of its header', async () => {
  // 0x0308 bytes of header: the first bytes of the file are those of an ONNX file of version 3.
  const tensors = { a: { dtype: 'F32', shape: [1], data: Float32Array.of(1) } } as const
  const short = writeSafetensors(tensors)
  const [length] = new Uint32Array(short.slice(0, 4).buffer)
  const header = new TextDecoder().decode(short.subarray(8, 8 + length)).padEnd(0x0308, ' ')
  const bytes = Buffer.concat([Uint8Array.of(8, 3, 0, 0, 0, 0, 0, 0), Buffer.from(header), short.subarray(8 + length)])
  await writeFile(at('long.safetensors'), bytes)
  await expect(openExtractor(at('long.safetensors'), { backend })).rejects.toThrow(
    `${at('long.safetensors')} holds neither the FID Inception nor EfficientNet-Lite0 (its tensors: a)`,
  )
})
