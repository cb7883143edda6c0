/** Engines that `--backend` takes. */
export const ENGINE_NAMES = ['tfjs-wasm', 'tfjs-cpu', 'reference'] as const

export type EngineName = (typeof ENGINE_NAMES)[number]

/** Engines of the plan that this version does not have, for `dit doctor`. */
export const LATER_ENGINES: readonly { name: string; text: string }[] = [
  { name: 'cpu', text: "dit's own CPU kernels (WASM SIMD, native)" },
  { name: 'webgpu', text: 'WebGPU, in browsers and in Node' },
  { name: 'tfjs-node', text: 'TensorFlow in Node, with CUDA through @tensorflow/tfjs-node-gpu' },
]
