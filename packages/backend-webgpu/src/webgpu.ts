import type { Backend } from '@dit/tensor'
import { checkedLossScale, createBackend } from './backend.js'
import { WebGpuUnavailableError } from './errors.js'
import { checkMatrixWish, chooseMatrixUnits, MATRIX_FEATURE, type MatrixSize } from './matrix-units.js'

export interface WebGpuOptions {
  /** Where adapters come from; `navigator.gpu` by default, `nodeGpu()` of `@dit/backend-webgpu/node` in Node. */
  readonly gpu?: GPU
  /** Which card is preferred where there are several. */
  readonly powerPreference?: GPUPowerPreference
  /** An adapter of the caller's choice, in place of the two options above. */
  readonly adapter?: GPUAdapter
  /**
   * `f32`, or `f16`: products take their operands in half precision and sum in f32, as attention does; weights, norms,
   * statistics of the softmax and the optimizer stay f32.
   */
  readonly precision?: 'f32' | 'f16'
  /**
   * Of `f16`: gradients are multiplied by this power of two before they are rounded, and what is made of them divided by
   * it, so that small ones do not become 0 (loss scaling, done inside of each product). 4096 by default. Gradients beyond
   * 65504 / lossScale become infinite; `train` then halves the scale and repeats the step.
   *
   * Micikevicius et al. 2018, "Mixed Precision Training", section 3.2.
   */
  readonly lossScale?: number
  /**
   * Of `f16`: how halves lie in the memory of a workgroup. `auto` takes numbers of `shader-f16` where the adapter has it, else pairs
   * packed into integers, which every device unpacks. Both round alike.
   */
  readonly halves?: 'auto' | 'f16' | 'packed'
  /**
   * Whether sums and norms reduce over subgroups: `auto` where the device has them and WGSL knows their numbers (`subgroup_id`), `off`
   * nowhere, `on` is an error where they are missing. Results differ in the order of sums.
   */
  readonly subgroups?: 'auto' | 'on' | 'off'
  /**
   * Whether products go through the matrix units of the card (tensor cores and their like), which WebGPU has as an experiment,
   * `chromium-experimental-subgroup-matrix`: those of halves where `precision` is `f16`, those of f32 where it is `f32`. True takes
   * the largest that the adapter lists; a size takes that one. Results differ in the order of sums. Nothing else is
   * taken where they are missing: that is an error.
   */
  readonly matrixUnits?: boolean | MatrixSize
  /**
   * `small` keeps the code of kernels short, for software drivers, which compile slowly; `auto` knows these by name.
   * Results differ in the order of sums.
   */
  readonly tiles?: 'auto' | 'large' | 'small'
}

/**
 * The backend that runs on a graphics card through WebGPU, with own kernels for everything, fused ones included.
 *
 * @throws WebGpuUnavailableError where there is no WebGPU or no adapter, saying what to do
 * @throws RangeError when an option is none of its choices
 * @throws RangeError when `subgroups` is `on` and there are none
 * @throws RangeError when `halves` is `f16` and the adapter has no `shader-f16`
 * @throws RangeError when `matrixUnits` are asked for and the adapter has none for that precision, or they do not go with other options
 *
 * @example
 * await useBackend(webgpu())
 */
export async function webgpu({
  gpu,
  powerPreference = 'high-performance',
  adapter: given,
  precision = 'f32',
  lossScale = 4096,
  halves = 'auto',
  subgroups = 'auto',
  matrixUnits = false,
  tiles = 'auto',
}: WebGpuOptions = {}): Promise<Backend> {
  checkChoice('precision', precision, ['f32', 'f16'])
  checkChoice('halves', halves, ['auto', 'f16', 'packed'])
  checkChoice('subgroups', subgroups, ['auto', 'on', 'off'])
  checkChoice('tiles', tiles, ['auto', 'large', 'small'])
  checkMatrixWish(matrixUnits)
  const adapter = given ?? (await requestAdapter(gpu ?? pageGpu(), powerPreference))
  const hasF16 = adapter.features.has('shader-f16')
  if (halves === 'f16' && !hasF16) {
    throw new RangeError(
      `webgpu: halves must be packed on this adapter, which has no shader-f16 (${adapterText(adapter)})`,
    )
  }
  checkedLossScale(lossScale)
  const hasSubgroups = adapter.features.has('subgroups') && languageFeatures(gpu).has('subgroup_id')
  if (subgroups === 'on' && !hasSubgroups) {
    throw new RangeError(
      `webgpu: subgroups must be off here: they need the feature subgroups and subgroup_id of WGSL (${adapterText(adapter)})`,
    )
  }
  const half = precision === 'f32' ? 'none' : halves !== 'auto' ? halves : hasF16 ? 'f16' : 'packed'
  const useSmallTiles = tiles === 'small' || (tiles === 'auto' && isSoftware(adapter))
  const use = hasSubgroups ? subgroups : 'none'
  const wish = { precision, half, subgroups: use, useSmallTiles, adapterText: adapterText(adapter) } as const
  const units = matrixUnits === false ? null : chooseMatrixUnits(adapter, { ...wish, wanted: matrixUnits })
  const device = await requestDevice(adapter, units === null ? [] : [MATRIX_FEATURE])
  return createBackend(device, {
    half,
    units,
    useSubgroups: hasSubgroups && subgroups !== 'off',
    gradientLift: lossScale,
    useSmallTiles,
    adapterText: adapterText(adapter),
    isSoftware: isSoftware(adapter),
  })
}

function checkChoice<T extends string>(name: string, value: T, choices: readonly T[]): void {
  if (choices.includes(value)) return
  throw new RangeError(`webgpu: ${name} must be one of ${choices.join(', ')} (got ${JSON.stringify(value)})`)
}

/** A device with everything of the adapter that kernels can use: f16, subgroups, its own limits, and what else is asked for. */
export function requestDevice(adapter: GPUAdapter, more: readonly GPUFeatureName[]): Promise<GPUDevice> {
  const wanted: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query', ...more]
  const { limits } = adapter
  return adapter.requestDevice({
    label: 'dit',
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    },
  })
}

/** `nvidia lovelace (NVIDIA L4)`, as far as the adapter tells. */
export function adapterText({ info }: GPUAdapter): string {
  const { vendor, architecture, device, description } = info
  const name = [vendor, architecture].filter((part) => part !== '').join(' ')
  const detail = description === '' ? device : description
  if (name === '') return detail === '' ? 'an adapter that does not tell its name' : detail
  return detail === '' ? name : `${name} (${detail})`
}

/** Whether the adapter computes on the processor. */
export function isSoftware(adapter: GPUAdapter): boolean {
  const { isFallbackAdapter } = adapter.info as { isFallbackAdapter?: boolean }
  return isFallbackAdapter === true || /llvmpipe|swiftshader|basic render|null-backend/i.test(adapterText(adapter))
}

function pageGpu(): GPU {
  const { navigator } = globalThis as { navigator?: { gpu?: GPU } }
  if (navigator?.gpu !== undefined) return navigator.gpu
  const { isSecureContext } = globalThis as { isSecureContext?: boolean }
  if (isNode()) {
    throw new WebGpuUnavailableError(
      "webgpu: Node has no WebGPU of its own; npm install webgpu, and webgpu({ gpu: await nodeGpu() }) with nodeGpu of '@dit/backend-webgpu/node'",
    )
  }
  if (isSecureContext === false) {
    throw new WebGpuUnavailableError(
      'webgpu: browsers offer WebGPU to secure pages only; serve this one over https or from localhost',
    )
  }
  throw new WebGpuUnavailableError(
    'webgpu: this browser has no WebGPU. Chrome and Edge have it from 113 (Linux: from 144 on most cards, before with chrome://flags/#enable-unsafe-webgpu and #enable-vulkan), ' +
      'Safari from 26, Firefox from 141 on Windows and 145 on Apple silicon (elsewhere dom.webgpu.enabled in about:config). ' +
      'Without it, cpu() of @dit/backend-cpu computes the same in WebAssembly',
  )
}

async function requestAdapter(gpu: GPU, powerPreference: GPUPowerPreference): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference })
  if (adapter !== null) return adapter
  const why = isNode()
    ? 'no driver was found. On Linux Dawn needs the loader of Vulkan (Debian: libvulkan1) and a driver that it takes, of the card or ' +
      'Mesa 25 or later: vulkaninfo --summary lists them, and VK_DRIVER_FILES names the manifest (.json) of one that the loader does not find'
    : 'the graphics driver is missing, too old or on a blocklist (chrome://gpu tells)'
  throw new WebGpuUnavailableError(
    `webgpu: there is WebGPU here but no adapter: ${why}. cpu() of @dit/backend-cpu computes the same on the processor`,
  )
}

/** What WGSL knows here; nothing where the caller brings an adapter alone. */
function languageFeatures(gpu: GPU | undefined): ReadonlySet<string> {
  const { navigator } = globalThis as { navigator?: { gpu?: GPU } }
  return (gpu ?? navigator?.gpu)?.wgslLanguageFeatures ?? new Set<string>()
}

function isNode(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } }
  return process?.versions?.node !== undefined
}
