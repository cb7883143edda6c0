import { add, dispose, flatLayout, full, reference, scope, tensor } from '@dit/tensor'
import { expect, test, vi } from 'vitest'
import { runtimeOf } from '../src/describe.js'
import { describeWebGpu, DeviceLostError, webgpu, type WebGpuOptions } from '../src/index.js'
import { USAGE } from '../src/runtime/constants.js'
import type { GpuBuffer } from '../src/runtime/pool.js'
import { nullBackend } from './drivers.js'

test('without WebGPU the error says how Node gets it', async () => {
  await expect(webgpu()).rejects.toThrow(/^webgpu: Node has no WebGPU of its own; npm install webgpu/)
})

test('without an adapter the error says how Node finds a driver, and names the other engine', async () => {
  const gpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU
  await expect(webgpu({ gpu })).rejects.toThrow(/no adapter: .*libvulkan1.*vulkaninfo.*VK_DRIVER_FILES.*backend-cpu/)
})

test('in a page the error without an adapter speaks of the browser', async () => {
  const gpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU
  vi.stubGlobal('process', undefined)
  try {
    await expect(webgpu({ gpu })).rejects.toThrow(/no adapter: the graphics driver is missing.*chrome:.*backend-cpu/)
  } finally {
    vi.unstubAllGlobals()
  }
})

test('numbers of shader-f16 on an adapter without it are refused', async () => {
  const info = { vendor: 'acme', architecture: '', device: '', description: 'Card 1' }
  const adapter = { features: new Set<string>(), info } as unknown as GPUAdapter
  await expect(webgpu({ adapter, precision: 'f16', halves: 'f16' })).rejects.toThrow(
    'webgpu: halves must be packed on this adapter, which has no shader-f16 (acme (Card 1))',
  )
})

test('options that are none of their choices are refused, and not taken for another', async () => {
  const refused = async (options: object) =>
    webgpu(options as WebGpuOptions).catch((error: unknown) => (error as Error).message)
  expect(await refused({ precision: 'float32' })).toBe('webgpu: precision must be one of f32, f16 (got "float32")')
  expect(await refused({ halves: 'f32' })).toBe('webgpu: halves must be one of auto, f16, packed (got "f32")')
  expect(await refused({ subgroups: false })).toBe('webgpu: subgroups must be one of auto, on, off (got false)')
  expect(await refused({ tiles: 'big' })).toBe('webgpu: tiles must be one of auto, large, small (got "big")')
  for (const matrixUnits of [0, null, 'true', [], { M: 16 }, { M: 16, N: 16, K: 0 }, { M: -8, N: 8, K: 8 }]) {
    expect(await refused({ matrixUnits })).toBe(
      `webgpu: matrixUnits must be true, false or { M, N, K } of positive integers (got ${JSON.stringify(matrixUnits)})`,
    )
  }
})

test('subgroups on an adapter without them are refused', async () => {
  const info = { vendor: 'acme', architecture: '', device: '', description: 'Card 1' }
  const adapter = { features: new Set<string>(), info } as unknown as GPUAdapter
  await expect(webgpu({ adapter, subgroups: 'on' })).rejects.toThrow(
    'webgpu: subgroups must be off here: they need the feature subgroups and subgroup_id of WGSL (acme (Card 1))',
  )
})

test('what is used after the backend was disposed of says so', async () => {
  const backend = await nullBackend()
  const x = full([3], 1, { backend })
  await backend.dispose()
  expect(() => add(x, x)).toThrow('webgpu: the backend was disposed of')
  await expect(x.data()).rejects.toThrow('webgpu: the backend was disposed of')
  expect(() => tensor([1], [1], { backend })).toThrow('webgpu: the backend was disposed of')
  x.dispose()
  expect(backend.memory()).toMatchObject({ buffers: 0, bytes: 0 })
})

test('a buffer freed twice, or of another backend, is an error', async () => {
  const backend = await nullBackend()
  const buffer = backend.allocate(16)
  backend.free(buffer)
  expect(() => backend.free(buffer)).toThrow('webgpu: buffer was freed before, or is not of this backend')
  await backend.dispose()
})

test('memory of somebody else that is not taken goes back, and to nobody else', async () => {
  const backend = await nullBackend()
  const runtime = runtimeOf('test', backend)
  const gpu = runtime.device.createBuffer({ size: 16, usage: USAGE.storage })
  const onReturn = vi.fn<() => void>()
  const tooLarge = () => full([2 ** 30], 0, { backend })
  expect(() => runtime.adopting({ gpu, byteLength: 16, onReturn }, tooLarge)).toThrow('a buffer holds at most')
  expect(onReturn).toHaveBeenCalledOnce()
  expect(backend.memory()).toMatchObject({ buffers: 0, bytes: 0 })
  expect((full([1], 0, { backend }).buffer as GpuBuffer).gpu).not.toBe(gpu)
  await backend.dispose()
})

test('describeWebGpu takes only backends of webgpu', () => {
  expect(() => describeWebGpu(reference())).toThrow(
    'describeWebGpu: the backend must be one that webgpu() made (got reference)',
  )
})

test('a head that is too wide for the memory of a workgroup is refused with the figure', async () => {
  const backend = await nullBackend()
  const { attention } = await import('@dit/tensor')
  const qkv = full([1, 2, 3 * 1000], 0, { backend })
  expect(() => attention(qkv, 1)).toThrow(
    /attention of head width 1000 needs \d+ bytes of workgroup memory \(this device has 16384\); use more heads/,
  )
  await backend.dispose()
})

test('weights and other tensors beyond the largest binding are refused with both figures and the way out', async () => {
  const backend = await nullBackend()
  const { maxBufferBytes } = backend
  expect(maxBufferBytes).toBe(2 ** 27)
  expect(full([2 ** 10, 2 ** 15], 0, { backend }).shape).toEqual([2 ** 10, 2 ** 15])
  expect(() => full([2 ** 10, 2 ** 15 + 1], 0, { backend })).toThrow(
    new RangeError(
      'webgpu: a buffer holds at most 134217728 bytes (shape [1024, 32769] needs 134221824); compute fewer examples at a time, or use another backend',
    ),
  )
  expect(() => flatLayout({ 'blocks.0.mlp.fc1.weight': [2 ** 13, 2 ** 13] }, backend)).toThrow(
    new RangeError(
      'flatLayout: blocks.0.mlp.fc1.weight [8192, 8192] needs 268435456 bytes, and a buffer of webgpu holds at most 134217728; a tensor is not split: use another backend, or a smaller model',
    ),
  )
  await backend.dispose()
})

test('a device without memory left is an error with the figures, which leads to the op that asked', async () => {
  const backend = await nullBackend() // which has 512 MiB
  const size = 2 ** 25 - 64
  const taken = Array.from({ length: 3 }, () => full([size], 0, { backend }))
  const makeOneMore = async () => scope(() => full([size], 0, { backend })).data()
  // What the device had no memory for is not handed out: the second time is like the first, and then the backend goes on.
  for (const attempt of [1, 2]) {
    const error: unknown = await makeOneMore().catch((failure: unknown) => failure)
    expect(String(error), `attempt ${attempt}`).toMatch(
      /^Error: webgpu: the device is out of memory: \d+ bytes were asked for beside \d+ that are taken; use a smaller batch.*\(Out of memory/,
    )
    expect((error as { cause: Error }).cause.stack).toContain('makeOneMore')
  }
  dispose(taken.pop()!)
  taken.push(full([size], 0, { backend }))
  expect(await full([1], 0, { backend }).data()).toHaveLength(1)
  expect(describeWebGpu(backend).reservedBytes).toBeLessThan(4 * 4 * size)
  await backend.dispose()
})

test('values cannot be read from what an engine that computes nothing made, but reading does not hang', async () => {
  const backend = await nullBackend()
  expect(await tensor([1, 2], [2], { backend }).data()).toHaveLength(2)
  await backend.dispose()
})

test('a device that is lost is a DeviceLostError that says how to go on', async () => {
  const backend = await nullBackend()
  const x = full([3], 1, { backend })
  const { device } = runtimeOf('test', backend)
  device.destroy()
  await device.lost
  await new Promise((resolve) => {
    setTimeout(resolve)
  })
  expect(() => add(x, x)).toThrow(DeviceLostError)
  expect(() => add(x, x)).toThrow(
    /the device was lost \(destroyed: .*\); make a new backend with webgpu\(\) and resume/,
  )
})

test('values under way when the device is lost are a DeviceLostError, too', async () => {
  const backend = await nullBackend()
  const values = full([3], 1, { backend }).data()
  runtimeOf('test', backend).device.destroy()
  await expect(values).rejects.toThrow(DeviceLostError)
})
