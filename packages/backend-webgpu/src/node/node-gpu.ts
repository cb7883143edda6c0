import { WebGpuUnavailableError } from '../errors.js'

export interface NodeGpuOptions {
  /** Part of the name of the adapter to take, where there are several: `NVIDIA`, `llvmpipe`. */
  readonly adapter?: string
  /** `null` is an engine that checks everything and computes nothing, for measuring and for tests. */
  readonly backend?: 'vulkan' | 'metal' | 'd3d12' | 'null'
  /** Switches of Dawn, such as `disable_robustness`. */
  readonly toggles?: readonly string[]
}

/** An adapter, as `dit doctor` lists it. */
export interface AdapterSummary {
  /** What `NodeGpuOptions.adapter` takes. */
  readonly name: string
  /** `vulkan`, `metal`, `d3d12`, ... */
  readonly backend: string
}

/**
 * WebGPU for Node: Dawn, through the npm package `webgpu`.
 *
 * @throws WebGpuUnavailableError where that package is not installed or has no build for this platform
 *
 * @example
 * await useBackend(webgpu({ gpu: await nodeGpu() }))
 */
export async function nodeGpu({ adapter, backend, toggles = [] }: NodeGpuOptions = {}): Promise<GPU> {
  const { create } = await loadDawn()
  return create([
    ...(adapter === undefined ? [] : [`adapter=${adapter}`]),
    ...(backend === undefined ? [] : [`backend=${backend}`]),
    ...(toggles.length === 0 ? [] : [`enable-dawn-features=${toggles.join(',')}`]),
  ])
}

/** Adapters that Dawn finds on this machine, by the name that chooses one. */
export async function listAdapters(): Promise<AdapterSummary[]> {
  const { create } = await loadDawn()
  try {
    // Dawn lists its adapters where it is asked for one that there is not.
    await create(['adapter=(none of this name)']).requestAdapter()
  } catch (error) {
    const found = (error as Error).message.matchAll(/backend: '([^']*)', name: '([^']*)'/g)
    return [...found].map(([, backend, name]) => ({ backend, name })).filter(({ backend }) => backend !== 'null')
  }
  return []
}

/** Dawn ends with the object that it was made through, and takes the process down if something of it is still used. */
const kept: GPU[] = []

async function loadDawn(): Promise<{ readonly create: (options: string[]) => GPU }> {
  try {
    const { create } = await import('webgpu')
    return {
      create(options) {
        const gpu = create(options)
        kept.push(gpu)
        return gpu
      },
    }
  } catch (error) {
    throw new WebGpuUnavailableError(
      `nodeGpu: the package webgpu cannot be loaded (${(error as Error).message.split('\n')[0]}); npm install webgpu`,
      { cause: error },
    )
  }
}
