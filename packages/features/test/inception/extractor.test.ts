import { writeSafetensors } from '@dit/checkpoint'
import { FID_INCEPTION_FILE, FID_PREPROCESSINGS, inceptionExtractor, networkInput } from '@dit/features'
import { reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { INCEPTION } from '../../src/inception/network.js'
import { storedShapes } from '../../src/network/load.js'
import { layersOf } from '../../src/network/network.js'

const backend = reference()

const filled = (shape: number[]) => ({
  dtype: 'F32' as const,
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
})

test('has as many parameters as the published file, under its names', () => {
  const shapes = Object.entries(storedShapes(INCEPTION))
  const count = shapes.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0)
  // float32 fills 95,628,359 bytes but for the frame of torch's format: 472 entries in a zip.
  expect(count).toBe(23_885_392)
  expect(FID_INCEPTION_FILE.bytes - 4 * count).toBeGreaterThan(0)
  expect(FID_INCEPTION_FILE.bytes - 4 * count).toBeLessThan(200_000)
  expect(FID_INCEPTION_FILE.names.every((name) => name.includes(FID_INCEPTION_FILE.sha256.slice(0, 8)))).toBe(true)
  expect(storedShapes(INCEPTION)).toMatchObject({
    'Mixed_5b.branch5x5_2.conv.weight': [64, 48, 5, 5],
    'Mixed_6c.branch7x7dbl_2.conv.weight': [160, 160, 7, 1],
    'Mixed_7c.branch3x3_2a.bn.running_mean': [384],
    'fc.weight': [1008, 2048],
  })
})

test('layers are those of torch-fidelity and that of sFID', () => {
  expect(layersOf(INCEPTION)).toEqual([
    { name: '64', width: 64 },
    { name: '192', width: 192 },
    { name: 'spatial', width: 2023 },
    { name: '768', width: 768 },
    { name: '2048', width: 2048 },
    { name: 'logits_unbiased', width: 1008 },
    { name: 'logits', width: 1008 },
  ])
})

test('normalises as ADM and torch-fidelity, or as pytorch-fid', () => {
  const pictures = { count: 1, height: 1, width: 1, pixels: Uint8Array.of(0, 128, 255) }
  const channels = (program: keyof typeof FID_PREPROCESSINGS) => {
    const input = networkInput(pictures, FID_PREPROCESSINGS[program])
    return [0, 1, 2].map((c) => input[c * 299 * 299])
  }
  expect(channels('tensorflow')).toEqual([-1, 0, 127 / 128])
  expect(channels('clean-fid')).toEqual([-1, 0, 127 / 128])
  expect(channels('pytorch-fid')).toEqual([-1, Math.fround(0.5 / 127.5), 1])
})

test('says so where the file is torchvision’s Inception', async () => {
  const file = writeSafetensors({
    'Conv2d_1a_3x3.conv.weight': filled([32, 3, 3, 3]),
    'AuxLogits.conv0.conv.weight': filled([128, 768, 1, 1]),
    'fc.weight': filled([1000, 2048]),
  })
  await expect(inceptionExtractor(file, { backend })).rejects.toThrow(
    new RangeError(
      "inceptionExtractor: this is torchvision's Inception v3 (1000 classes of ImageNet); FID needs the network of 2015-12-05 with 1008: pt_inception-2015-12-05-6726825d.pth of pytorch-fid",
    ),
  )
})

test('lists what is missing of another file', async () => {
  const file = writeSafetensors({ 'Conv2d_1a_3x3.conv.weight': filled([32, 3, 3, 3]), 'model.bias': filled([3]) })
  await expect(inceptionExtractor(file, { backend })).rejects.toThrow(
    /the file does not hold the weights of this network \(missing: Conv2d_1a_3x3.bn.weight \[32\], .* and \d+ more; not expected: model.bias\)/,
  )
})

test('refuses an unknown preprocessing before it reads', async () => {
  const source = { size: 1, read: () => Promise.reject(new Error('was read')) }
  await expect(inceptionExtractor(source, { backend, preprocessing: 'clip' as 'clean-fid' })).rejects.toThrow(
    'inceptionExtractor: preprocessing must be one of tensorflow, clean-fid, pytorch-fid (got clip)',
  )
})
