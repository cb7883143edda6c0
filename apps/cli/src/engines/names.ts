/** Engines as they are printed and kept in a run's `config.json`. */
export const ENGINE_NAMES = [
  'cpu-native',
  'cpu-wasm',
  'webgpu',
  'tfjs-node',
  'tfjs-node-gpu',
  'tfjs-wasm',
  'tfjs-cpu',
  'reference',
] as const

export type EngineName = (typeof ENGINE_NAMES)[number]

/** What `--backend` takes: an engine, or `cpu` for the faster of dit's own kernels that is there. */
export const BACKENDS = ['cpu', ...ENGINE_NAMES] as const

export type BackendName = (typeof BACKENDS)[number]

/** What computes where no other is asked for. */
export const DEFAULT_BACKEND: BackendName = 'cpu'

/** What `--engine` takes: builds of dit's own kernels. */
export const CPU_ENGINES = ['native', 'wasm'] as const

export type CpuEngine = (typeof CPU_ENGINES)[number]

/** As many threads as there are processors, where an engine has threads. */
export type Threads = number | 'auto'
