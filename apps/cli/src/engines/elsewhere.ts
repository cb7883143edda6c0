const CARDS = 'webgpu computes on graphics cards, through Vulkan, Metal or Direct3D'
const CUDA = `CUDA is the engine tfjs-node-gpu here (TensorFlow; docs/cuda.md says how to install it), on the card that CUDA_VISIBLE_DEVICES chooses; ${CARDS}.`
const WEBGPU = `Here ${CARDS}.`

/** What the engines of other programs are called, in lower case, and what to take here. */
export const ENGINES_ELSEWHERE: Readonly<Record<string, string>> = {
  cuda: CUDA,
  nvidia: CUDA,
  gpu: `For a graphics card: ${CARDS}; tfjs-node-gpu computes with CUDA (TensorFlow; docs/cuda.md says how to install it).`,
  mps: WEBGPU,
  metal: WEBGPU,
  vulkan: WEBGPU,
  rocm: WEBGPU,
  hip: WEBGPU,
  amd: WEBGPU,
  directml: WEBGPU,
  opencl: WEBGPU,
  xpu: WEBGPU,
  webgl: `There is no engine of WebGL; ${CARDS}, in Node and in pages.`,
  tpu: 'There is no engine for TPUs.',
  xla: 'There is no engine of XLA.',
  tensorflow: 'TensorFlow is tfjs-node on the CPU, and tfjs-node-gpu with CUDA (docs/cuda.md).',
  tfjs: 'TensorFlow.js is tfjs-wasm or tfjs-cpu; with the library of TensorFlow, tfjs-node or tfjs-node-gpu.',
  native: 'The native kernels are cpu-native.',
  wasm: 'WebAssembly is cpu-wasm.',
  auto: 'Leave --backend out.',
}
