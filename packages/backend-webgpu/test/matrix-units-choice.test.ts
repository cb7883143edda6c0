import { describe, expect, test } from 'vitest'
import { describeWebGpu, webgpu, type WebGpuOptions } from '../src/index.js'
import { chooseTile } from '../src/kernels/product.js'
import { chooseMatrixUnits, MATRIX_FEATURE } from '../src/matrix-units.js'
import { nullBackend } from './drivers.js'

interface Config {
  readonly componentType: string
  readonly resultComponentType: string
  readonly M: number
  readonly N: number
  readonly K: number
}

const config = (componentType: string, resultComponentType: string, [M, N, K]: readonly number[]): Config => ({
  componentType,
  resultComponentType,
  M,
  N,
  K,
})

interface Card {
  readonly features?: readonly string[]
  readonly configs?: readonly Config[]
  readonly subgroupMaxSize?: number
  readonly limits?: {
    readonly maxComputeInvocationsPerWorkgroup?: number
    readonly maxComputeWorkgroupStorageSize?: number
  }
}

/** An adapter as far as the choice looks at it. */
function card({
  features = ['shader-f16', 'subgroups', MATRIX_FEATURE],
  configs = [],
  subgroupMaxSize = 32,
  limits,
}: Card) {
  return {
    features: new Set(features),
    info: {
      vendor: 'acme',
      architecture: '',
      device: '',
      description: 'Card 1',
      subgroupMaxSize,
      subgroupMatrixConfigs: configs,
    },
    limits: { maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupStorageSize: 32_768, ...limits },
  } as unknown as GPUAdapter
}

const open = (given: Card, options: WebGpuOptions) =>
  webgpu({
    gpu: { wgslLanguageFeatures: new Set(['subgroup_id']) } as unknown as GPU,
    adapter: card(given),
    matrixUnits: true,
    ...options,
  })

const wish = {
  wanted: true,
  half: 'none',
  subgroups: 'auto',
  useSmallTiles: false,
  adapterText: 'acme (Card 1)',
} as const
const choose = (given: Card, precision: 'f16' | 'f32' = 'f16') => chooseMatrixUnits(card(given), { ...wish, precision })

const nvidia = [
  config('f16', 'f16', [16, 16, 16]),
  config('f16', 'f32', [16, 8, 8]),
  config('f16', 'f32', [16, 16, 16]),
  config('f16', 'f32', [16, 8, 16]),
  config('u8', 'u32', [16, 16, 32]),
]

describe('the choice', () => {
  test('is of the units that multiply the most at once, by as many subgroups as a workgroup holds up to four', () => {
    expect(choose({ configs: nvidia })).toEqual({
      component: 'f16',
      M: 16,
      N: 16,
      K: 16,
      depth: 32,
      subgroups: [2, 2],
      lanes: 128,
    })
    expect(choose({ configs: nvidia, subgroupMaxSize: 128 })).toMatchObject({ subgroups: [2, 1], lanes: 256 })
    expect(choose({ configs: [config('f32', 'f32', [8, 8, 8])] }, 'f32')).toMatchObject({ component: 'f32', K: 8 })
  })

  test('is of the size that is asked for, where it is listed', () => {
    const wanted = { M: 16, N: 8, K: 16 }
    expect(chooseMatrixUnits(card({ configs: nvidia }), { ...wish, precision: 'f16', wanted })).toMatchObject(wanted)
  })

  test('of a tile is of the largest whose memory a workgroup has and whose parts are whole matrices', () => {
    const units = choose({ configs: nvidia })
    const large = { G: 1, M: 1408, N: 1408 }
    const small = { G: 1, M: 32, N: 32 }
    const rows = (extents: typeof large, sharedBytes: number, by = units) =>
      chooseTile({ ...extents, K: 64 }, { sharedBytes, useSmallTiles: false }, by).rows
    // 128 rows and as many columns of 40 halves, and four matrices of 256 floats
    expect(rows(large, 24_576)).toBe(128)
    expect(rows(large, 24_575)).toBe(64)
    expect(rows(small, 24_576)).toBe(32)
    expect(rows(small, 32_768, { ...units, M: 32 })).toBe(64)
  })

  test('is of smaller units where a workgroup has too little memory for the larger', () => {
    const configs = [...nvidia, config('f16', 'f32', [32, 32, 16])]
    expect(choose({ configs })).toMatchObject({ M: 32 })
    expect(choose({ configs, limits: { maxComputeWorkgroupStorageSize: 16_384 } })).toMatchObject({ M: 16, N: 16 })
  })

  test('is written in the description of a backend', async () => {
    const backend = await nullBackend({ precision: 'f16', matrixUnits: { M: 16, N: 8, K: 16 } })
    expect(describeWebGpu(backend).matrixUnits).toEqual({ component: 'f16', M: 16, N: 8, K: 16 })
    await backend.dispose()
    const plain = await nullBackend({ precision: 'f16' })
    expect(describeWebGpu(plain).matrixUnits).toBeNull()
    await plain.dispose()
  })
})

describe('what cannot be is refused', () => {
  test('without the feature, saying how to get it', async () => {
    await expect(open({ features: ['shader-f16', 'subgroups'] }, { precision: 'f16' })).rejects.toThrow(
      "webgpu: matrixUnits need chromium-experimental-subgroup-matrix, which is not offered here (acme (Card 1)). It is an experiment: Chrome offers it with chrome://flags/#enable-unsafe-webgpu, Node with nodeGpu({ toggles: ['allow_unsafe_apis'] }), both where the driver has it (Vulkan: VK_KHR_cooperative_matrix)",
    )
  })

  test('with none of the right type, naming those there are', async () => {
    await expect(open({ configs: nvidia }, { precision: 'f32' })).rejects.toThrow(
      /^webgpu: matrixUnits must multiply f32 into f32, .*; this adapter lists f16 16x16x16 into f16, .*, u8 16x16x32 into u32 \(acme \(Card 1\)\)$/,
    )
    await expect(open({ configs: [] }, { precision: 'f16' })).rejects.toThrow('this adapter lists nothing')
  })

  test('of another size than those listed', async () => {
    const matrixUnits = { M: 8, N: 8, K: 8 }
    await expect(open({ configs: nvidia }, { precision: 'f16', matrixUnits })).rejects.toThrow(
      /^webgpu: matrixUnits of 8x8x8 must multiply f16 into f32, .*; this adapter lists f16 16x16x16 into f16/,
    )
  })

  test('with matrices that make up no tile, or whose rows are no whole 16 bytes', () => {
    for (const size of [
      [24, 16, 16],
      [128, 16, 16],
      [16, 16, 4],
    ]) {
      expect(() => choose({ configs: [config('f16', 'f32', size)] })).toThrow(
        /^webgpu: matrixUnits must multiply f16 into f32, with M and N that divide 64 and rows of whole 16 bytes;/,
      )
    }
  })

  test('where the memory of a workgroup is too small, with the figure', async () => {
    const matrixUnits = { M: 32, N: 32, K: 16 }
    await expect(nullBackend({ precision: 'f16', matrixUnits, tiles: 'large' })).rejects.toThrow(
      'webgpu: matrixUnits of 32x32x16 need 18432 bytes of workgroup memory (this adapter has 16384)',
    )
  })

  test('with packed halves, asked for or for want of shader-f16', async () => {
    await expect(open({ configs: nvidia }, { precision: 'f16', halves: 'packed' })).rejects.toThrow(
      'webgpu: matrixUnits multiply numbers of shader-f16, halves must not be packed',
    )
    await expect(open({ features: ['subgroups', MATRIX_FEATURE] }, { precision: 'f16' })).rejects.toThrow(
      'webgpu: matrixUnits multiply numbers of shader-f16, which this adapter has not (acme (Card 1))',
    )
  })

  test('without subgroups', async () => {
    await expect(open({ configs: nvidia }, { precision: 'f16', subgroups: 'off' })).rejects.toThrow(
      "webgpu: matrixUnits belong to subgroups, which must not be 'off'",
    )
    await expect(open({ features: ['shader-f16', MATRIX_FEATURE] }, { precision: 'f16' })).rejects.toThrow(
      'webgpu: matrixUnits need the feature subgroups and subgroup_id of WGSL, which are missing here (acme (Card 1))',
    )
  })
})

test('a device is asked for the feature only with the option', async () => {
  const asked: string[][] = []
  const adapter = {
    ...(card({ configs: nvidia }) as object),
    requestDevice({ requiredFeatures }: { requiredFeatures: string[] }) {
      asked.push(requiredFeatures)
      return Promise.reject(new Error('enough seen'))
    },
  } as unknown as GPUAdapter
  const gpu = { wgslLanguageFeatures: new Set(['subgroup_id']) } as unknown as GPU
  for (const matrixUnits of [false, true]) {
    await expect(webgpu({ gpu, adapter, precision: 'f16', matrixUnits })).rejects.toThrow('enough seen')
  }
  expect(asked).toEqual([
    ['shader-f16', 'subgroups'],
    ['shader-f16', 'subgroups', MATRIX_FEATURE],
  ])
})
