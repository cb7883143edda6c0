import { COMPUTE, UNIFORM_BYTES } from './constants.js'
import { type KernelSource, type ParamType, shaderText } from './kernel.js'
import type { GpuBuffer } from './pool.js'

/** Part of a buffer, as it is bound. */
export interface Range {
  readonly buffer: GpuBuffer
  readonly offset: number
  readonly size: number
}

/** What one dispatch binds. */
export interface Bindings {
  readonly layout: Layout
  readonly ranges: readonly Range[]
  readonly group: GPUBindGroup
  /** Those of the dispatch that came after it the last time. */
  next: Bindings | null
}

/** What kernels with the same kinds of bindings share. */
export interface Layout {
  readonly bindGroupLayout: GPUBindGroupLayout
  readonly pipelineLayout: GPUPipelineLayout
  /** By the names of what is bound. */
  readonly bindings: Map<string, Bindings>
}

/** A kernel ready to run. */
export interface Kernel {
  readonly label: string
  readonly layout: Layout
  readonly paramTypes: readonly ParamType[]
  readonly pipeline: GPUComputePipeline
}

export interface Pipelines {
  /** The kernel of that name, compiled the first time. `make` is a pure function of the name. */
  get(key: string, make: () => KernelSource): Kernel
  /** Compiles without blocking what is not there yet. */
  prepare(key: string, make: () => KernelSource): Promise<void>
  has(key: string): boolean
  /** Kernels compiled so far. */
  readonly size: number
  /** Forgets bind groups that name buffers about to be destroyed. */
  forget(buffers: readonly GpuBuffer[]): void
}

export function createPipelines(device: GPUDevice): Pipelines {
  const kernels = new Map<string, Kernel>()
  const layouts = new Map<string, Layout>()

  function layoutOf({ storage }: KernelSource): Layout {
    const key = storage.map(({ isOutput }) => (isOutput ? 'w' : 'r')).join('')
    let layout = layouts.get(key)
    if (layout === undefined) {
      const bindGroupLayout = device.createBindGroupLayout({
        label: key,
        entries: [
          {
            binding: 0,
            visibility: COMPUTE,
            buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: UNIFORM_BYTES },
          },
          ...storage.map(({ isOutput }, i) => ({
            binding: i + 1,
            visibility: COMPUTE,
            buffer: { type: isOutput ? ('storage' as const) : ('read-only-storage' as const) },
          })),
        ],
      })
      const pipelineLayout = device.createPipelineLayout({ label: key, bindGroupLayouts: [bindGroupLayout] })
      layout = { bindGroupLayout, pipelineLayout, bindings: new Map() }
      layouts.set(key, layout)
    }
    return layout
  }

  function description(source: KernelSource, layout: Layout): GPUComputePipelineDescriptor {
    const { label } = source
    const module = device.createShaderModule({ label, code: shaderText(source) })
    return { label, layout: layout.pipelineLayout, compute: { module, entryPoint: 'main' } }
  }

  function add(key: string, source: KernelSource, layout: Layout, pipeline: GPUComputePipeline): Kernel {
    const kernel = {
      label: source.label,
      layout,
      paramTypes: source.params.map(([, type]) => type),
      pipeline,
    }
    kernels.set(key, kernel)
    return kernel
  }

  return {
    get(key, make) {
      const known = kernels.get(key)
      if (known !== undefined) return known
      const source = make()
      const layout = layoutOf(source)
      return add(key, source, layout, device.createComputePipeline(description(source, layout)))
    },
    async prepare(key, make) {
      if (kernels.has(key)) return
      const source = make()
      const layout = layoutOf(source)
      add(key, source, layout, await device.createComputePipelineAsync(description(source, layout)))
    },
    has: (key) => kernels.has(key),
    get size() {
      return kernels.size
    },
    forget(buffers) {
      const gone = new Set(buffers)
      for (const { bindings } of layouts.values()) {
        for (const [key, each] of bindings) {
          each.next = null
          if (each.ranges.some(({ buffer }) => gone.has(buffer))) bindings.delete(key)
        }
      }
    },
  }
}
