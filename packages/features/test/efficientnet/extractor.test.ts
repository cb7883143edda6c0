import { cpu } from '@dit/backend-cpu'
import { efficientNetExtractor } from '@dit/features'
import { describe, expect, test } from 'vitest'
import { EFFICIENT_NET_LITE0 } from '../../src/efficientnet/network.js'
import { storedShapes } from '../../src/network/load.js'
import { relativeError } from '../expect-like.js'
import { safetensorsOf } from '../files.js'
import { formulaFile, formulaPictures } from '../formula.js'

const backend = await cpu()
const file = formulaFile(storedShapes(EFFICIENT_NET_LITE0))
// PyTorch's files have counters of training steps, too.
const bytes = await safetensorsOf(file, (tensors) => {
  tensors['_bn0.num_batches_tracked'] = { dtype: 'F32', shape: [], data: new Float32Array(1) }
})
const pictures = formulaPictures(5, 30, 20)

test('has the 16 blocks of the paper and 1000 classes', async () => {
  const extractor = await efficientNetExtractor(bytes, { backend })
  const widths = [16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320]
  expect(extractor.layers).toEqual([
    ...widths.map((width, block) => ({ name: `block-${block}`, width })),
    { name: 'pool', width: 1280 },
    { name: 'logits', width: 1000 },
  ])
  expect(extractor).toMatchObject({ name: 'efficientnet-lite0', defaultLayer: 'block-10', logits: 'logits' })
  extractor.dispose()
})

test('batches do not change the features, and nothing stays behind', async () => {
  const before = backend.memory().buffers
  const small = await efficientNetExtractor(bytes, { backend, size: 64, batchSize: 2 })
  const large = await efficientNetExtractor(bytes, { backend, size: 64, batchSize: 9 })
  const held = backend.memory().buffers
  const [two, nine] = [
    await small.extract(pictures, ['block-4', 'pool']),
    await large.extract(pictures, ['block-4', 'pool']),
  ]
  expect(backend.memory().buffers).toBe(held)
  expect(Object.keys(two)).toEqual(['block-4', 'pool'])
  expect(two['pool'].shape).toEqual([5, 1280])
  // The order of sums may depend on the batch.
  for (const layer of ['block-4', 'pool']) {
    expect(relativeError(two[layer].data, nine[layer].data as Float32Array)).toBeLessThan(1e-6)
  }
  expect(two['pool'].data.subarray(0, 1280)).not.toEqual(two['pool'].data.subarray(1280, 2560))
  small.dispose()
  small.dispose()
  large.dispose()
  expect(backend.memory().buffers).toBe(before)
})

test('takes the default layer where none is named, and no picture at all', async () => {
  const extractor = await efficientNetExtractor(bytes, { backend, size: 32, defaultLayer: 'block-4' })
  const features = await extractor.extract(formulaPictures(1, 8, 8))
  expect(Object.keys(features)).toEqual(['block-4'])
  const none = await extractor.extract({ count: 0, height: 8, width: 8, pixels: new Uint8Array() })
  expect(none).toEqual({ 'block-4': { shape: [0, 40], data: new Float32Array() } })
  extractor.dispose()
})

test('its fingerprint tells weights and preprocessing apart', async () => {
  const other = bytes.slice()
  other[other.length - 1] ^= 1
  const fingerprints: string[] = []
  for (const [source, options] of [
    [bytes, {}],
    [bytes, { size: 112 }],
    [bytes, { resize: 'tf1-bilinear' }],
    [other, {}],
    [bytes, { batchSize: 3, defaultLayer: 'pool' }],
  ] as const) {
    const extractor = await efficientNetExtractor(source, { backend, ...options })
    fingerprints.push(extractor.fingerprint)
    extractor.dispose()
  }
  expect(new Set(fingerprints).size).toBe(4)
  expect(fingerprints[4]).toBe(fingerprints[0])
  expect(fingerprints[0]).toMatch(/^[0-9a-f]{64} 224x224 clean-bicubic mean 127,127,127 std 128,128,128$/)
})

describe('refuses', () => {
  test('pictures and layers that make no sense', async () => {
    const extractor = await efficientNetExtractor(bytes, { backend, size: 32 })
    await expect(extractor.extract({ ...pictures, count: 4 })).rejects.toThrow(
      new RangeError('efficientnet-lite0: pictures [4, 30, 20, 3] need 7200 bytes (got 9000)'),
    )
    await expect(extractor.extract({ ...pictures, height: 0 })).rejects.toThrow(
      'efficientnet-lite0: pictures must have a count, a height and a width (got [5, 0, 20])',
    )
    await expect(extractor.extract(pictures, ['block-16'])).rejects.toThrow(
      /there is no layer block-16; layers are block-0, .*, logits$/,
    )
    extractor.dispose()
    await expect(extractor.extract(pictures)).rejects.toThrow(
      new TypeError('efficientnet-lite0: the extractor is disposed of'),
    )
  })

  test('options that make no sense, before it reads', async () => {
    const source = { size: 1, read: () => Promise.reject(new Error('was read')) }
    const open = (options: object) => efficientNetExtractor(source, { backend, ...options })
    await expect(open({ size: 0 })).rejects.toThrow(
      'efficientNetExtractor: size must be a height and a width of 1 or more (got 0 x 0)',
    )
    await expect(open({ batchSize: 0.5 })).rejects.toThrow('batchSize must be an integer of 1 or more (got 0.5)')
    await expect(open({ resize: 'cubic' })).rejects.toThrow('resize must be one of tf1-bilinear')
    await expect(open({ defaultLayer: 'block-99' })).rejects.toThrow(
      /efficientNetExtractor: defaultLayer must be one of .* \(got block-99\)/,
    )
  })

  test('files that hold something else, and leaves nothing behind', async () => {
    const before = backend.memory().buffers
    const open = async (edit: Parameters<typeof safetensorsOf>[1]) =>
      efficientNetExtractor(await safetensorsOf(file, edit), { backend })
    await expect(open((tensors) => delete tensors['_fc.bias'])).rejects.toThrow(
      new RangeError(
        'efficientNetExtractor: the file does not hold the weights of this network (missing: _fc.bias [1000])',
      ),
    )
    await expect(
      open((tensors) => (tensors['_bn0.bias'] = { dtype: 'F32', shape: [2], data: new Float32Array(2) })),
    ).rejects.toThrow('of another shape: _bn0.bias [2] instead of [32]')
    await expect(
      open((tensors) => (tensors['extra'] = { dtype: 'F32', shape: [1], data: new Float32Array(1) })),
    ).rejects.toThrow('(not expected: extra)')
    await expect(open((tensors) => (tensors['_conv_head.weight'].data[7] = NaN))).rejects.toThrow(
      'efficientNetExtractor: weights must be finite (number 7 of _conv_head.weight is NaN)',
    )
    await expect(open((tensors) => (tensors['_bn1.running_var'].data[3] = -1))).rejects.toThrow(
      'efficientNetExtractor: _bn1.running_var must not be negative (least is -1)',
    )
    await expect(efficientNetExtractor(new Uint8Array(100), { backend })).rejects.toThrow('safetensors')
    expect(backend.memory().buffers).toBe(before)
  })
})
