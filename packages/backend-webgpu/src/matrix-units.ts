import { TILES } from './kernels/product.js'
import type { Half } from './wgsl/half.js'
import { bytesOf, divides, type MatrixUnits, unitsBytes } from './wgsl/product-units.js'

/** WebGPU's name of it, an experiment of Chrome and Dawn that `GPUFeatureName` does not list yet. */
export const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix' as GPUFeatureName

/** Which matrices units multiply: `[M, K]` by `[K, N]`. */
export interface MatrixSize {
  readonly M: number
  readonly N: number
  readonly K: number
}

/** What an adapter that has the feature lists as `info.subgroupMatrixConfigs`. */
interface MatrixConfig extends MatrixSize {
  readonly componentType: string
  readonly resultComponentType: string
}

export interface MatrixWish {
  readonly precision: 'f32' | 'f16'
  /** True for the largest that the adapter lists. */
  readonly wanted: true | MatrixSize
  readonly half: Half
  /** `none` where there are none. */
  readonly subgroups: 'auto' | 'on' | 'off' | 'none'
  /** Keeps the code of kernels short: a step of the units at a time. */
  readonly useSmallTiles: boolean
  /** How the adapter is called in errors. */
  readonly adapterText: string
}

/**
 * The units to use: those that multiply the most at once, from the type of the operands into f32, and for whose tiles a workgroup has
 * the memory.
 *
 * @throws RangeError where the adapter has none, none of this type, or not those asked for
 * @throws RangeError where a workgroup has too little memory for them
 * @throws RangeError with packed halves, or without subgroups
 */
export function chooseMatrixUnits(
  adapter: GPUAdapter,
  { precision, wanted, half, subgroups: use, useSmallTiles, adapterText }: MatrixWish,
): MatrixUnits {
  if (!adapter.features.has(MATRIX_FEATURE)) {
    throw new RangeError(
      `webgpu: matrixUnits need ${MATRIX_FEATURE}, which is not offered here (${adapterText}). It is an experiment: Chrome offers it with ` +
        "chrome://flags/#enable-unsafe-webgpu, Node with nodeGpu({ toggles: ['allow_unsafe_apis'] }), both where the driver has it (Vulkan: VK_KHR_cooperative_matrix)",
    )
  }
  if (half === 'packed') {
    const why = adapter.features.has('shader-f16')
      ? 'halves must not be packed'
      : `which this adapter has not (${adapterText})`
    throw new RangeError(`webgpu: matrixUnits multiply numbers of shader-f16, ${why}`)
  }
  if (use === 'off') throw new RangeError("webgpu: matrixUnits belong to subgroups, which must not be 'off'")
  if (use === 'none') {
    throw new RangeError(
      `webgpu: matrixUnits need the feature subgroups and subgroup_id of WGSL, which are missing here (${adapterText})`,
    )
  }
  const { subgroupMatrixConfigs = [], subgroupMaxSize } = adapter.info as GPUAdapterInfo & {
    subgroupMatrixConfigs?: readonly MatrixConfig[]
  }
  const listed = [...subgroupMatrixConfigs]
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize } = adapter.limits
  const subgroups = GRIDS.find((grid) => grid[0] * grid[1] * subgroupMaxSize <= maxComputeInvocationsPerWorkgroup)!
  const lanes = subgroups[0] * subgroups[1] * subgroupMaxSize
  const given = wanted === true ? null : wanted
  const isAsked = ({ M, N, K }: MatrixSize) => given === null || (M === given.M && N === given.N && K === given.K)
  // The null backend of Dawn lists nothing and takes everything.
  const candidates: readonly MatrixSize[] =
    given !== null && listed.length === 0
      ? [given]
      : listed.filter((each) => each.componentType === precision && each.resultComponentType === 'f32' && isAsked(each))
  const usable = candidates
    .map(({ M, N, K }): MatrixUnits => {
      const depth = useSmallTiles ? K : K * Math.max(1, Math.floor(LOADED_BYTES / bytesOf[precision] / K))
      return { component: precision, M, N, K, depth, subgroups, lanes }
    })
    .filter(fits)
    .toSorted((a, b) => b.M * b.N * b.K - a.M * a.N * a.K)
  if (usable.length === 0) {
    const what = given === null ? '' : ` of ${sizeText(given)}`
    const list = listed.map((each) => `${each.componentType} ${sizeText(each)} into ${each.resultComponentType}`)
    throw new RangeError(
      `webgpu: matrixUnits${what} must multiply ${precision} into f32, with M and N that divide 64 and rows of whole 16 bytes; this adapter lists ${list.join(', ') || 'nothing'} (${adapterText})`,
    )
  }
  const affordable = usable.find((units) => neededBytes(units) <= maxComputeWorkgroupStorageSize)
  if (affordable !== undefined) return affordable
  const least = usable.at(-1)!
  throw new RangeError(
    `webgpu: matrixUnits of ${sizeText(least)} need ${neededBytes(least)} bytes of workgroup memory (this adapter has ${maxComputeWorkgroupStorageSize})`,
  )
}

/** @throws RangeError unless it is a boolean or three positive integers */
export function checkMatrixWish(wanted: boolean | MatrixSize): void {
  if (typeof wanted === 'boolean') return
  const { M, N, K }: Partial<MatrixSize> = wanted ?? {}
  if ([M, N, K].every((extent) => Number.isSafeInteger(extent) && extent > 0)) return
  throw new RangeError(
    `webgpu: matrixUnits must be true, false or { M, N, K } of positive integers (got ${JSON.stringify(wanted)})`,
  )
}

/** How many subgroups may share a workgroup's tile. */
const GRIDS = [
  [2, 2],
  [2, 1],
  [1, 1],
] as const

/** Of a row of operands, loaded at a time: a line of most caches is a multiple. */
const LOADED_BYTES = 64

/** Bytes of shared memory of the smallest tile. */
function neededBytes(units: MatrixUnits): number {
  return Math.min(...TILES.filter((tile) => divides(units, tile)).map((tile) => unitsBytes(units, tile)))
}

/** Whether kernels can use them: some tile is made of whole ones, and their lines are whole groups of 16 bytes. */
function fits(units: MatrixUnits): boolean {
  const whole = units.component === 'f16' ? 8 : 4
  return (
    [units.M, units.N, units.K].every((extent) => extent % whole === 0) && TILES.some((tile) => divides(units, tile))
  )
}

const sizeText = ({ M, N, K }: MatrixSize) => `${M}x${N}x${K}`
