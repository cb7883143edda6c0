/** Engines that `--backend` takes. */
export const ENGINE_NAMES = ['cpu-wasm', 'tfjs-wasm', 'tfjs-cpu', 'reference'] as const

export type EngineName = (typeof ENGINE_NAMES)[number]

/** What computes where no other is asked for. */
export const DEFAULT_ENGINE: EngineName = 'cpu-wasm'

/** As many threads as there are processors, where an engine has threads. */
export type Threads = number | 'auto'

/** Engines of the plan that this version does not have, for `dit doctor`. */
export const LATER_ENGINES: readonly { name: string; text: string }[] = [
  { name: 'cpu-native', text: "dit's own CPU kernels as a native addon" },
  { name: 'webgpu', text: 'WebGPU, in browsers and in Node' },
  { name: 'tfjs-node', text: 'TensorFlow in Node, with CUDA through @tensorflow/tfjs-node-gpu' },
]
