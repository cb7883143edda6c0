import type { Backend, Kernels, View } from '../backend.js'

/** A number that no result comes near: what a kernel left unwritten, or added to, shows. */
const POISON = 1_234_567_936

type AnyKernel = (...args: readonly unknown[]) => unknown

/** Position of the output among the arguments of a kernel; those that work in place are not here. */
const outputPosition: Partial<Record<keyof Kernels, number>> = {
  copy: 1,
  unary: 2,
  unaryBackward: 3,
  affine: 3,
  binary: 3,
  select: 3,
  sum: 2,
  matmul: 4,
  permute: 2,
  slice: 2,
  concat: 2,
  gather: 2,
  scatterAdd: 2,
  softmax: 1,
  softmaxBackward: 2,
  linear: 4,
  linearBackward: 5,
  layerNormModulate: 4,
  layerNormModulateBackward: 5,
  attention: 2,
  attentionBackward: 5,
  gatedResidual: 3,
  gatedResidualBackward: 3,
  swiglu: 1,
  swigluBackward: 2,
  rmsNormModulate: 5,
  rmsNormModulateBackward: 6,
  qkNormRope: 4,
  qkNormRopeBackward: 6,
  crossAttention: 5,
  crossAttentionBackward: 8,
  conv2d: 4,
  conv2dBackward: 4,
  groupNorm: 4,
  groupNormBackward: 6,
  upsample2x: 1,
  upsample2xBackward: 1,
  groupedConv2d: 4,
  maxPool2d: 2,
  averagePool2d: 2,
  randomNormal: 2,
}

/**
 * The same engine, but every output is filled with a number that nobody expects before its kernel runs, because fresh
 * memory is undefined and not zero. Outputs that share a buffer with an input are left alone.
 */
export function poisoned(backend: Backend): Backend {
  const kernels: Record<string, AnyKernel> = {}
  for (const name of kernelNames(backend.kernels)) {
    const run = (backend.kernels[name] as AnyKernel).bind(backend.kernels)
    const at = outputPosition[name]
    kernels[name] =
      at === undefined
        ? run
        : (...args) => {
            const inputs = args.flatMap((arg, i) => (i === at ? [] : viewsIn(arg)))
            for (const out of viewsIn(args[at])) {
              if (inputs.every(({ buffer }) => buffer !== out.buffer)) backend.kernels.fill(out, POISON)
            }
            return run(...args)
          }
  }
  return {
    name: backend.name,
    float: backend.float,
    dtypes: backend.dtypes,
    supportsViews: backend.supportsViews,
    maxBufferBytes: backend.maxBufferBytes,
    allocate: (byteLength) => backend.allocate(byteLength),
    free: (buffer) => backend.free(buffer),
    upload: (view, data) => backend.upload(view, data),
    download: (view) => backend.download(view),
    memory: () => backend.memory(),
    kernels: kernels as unknown as Kernels,
    dispose: () => backend.dispose(),
  }
}

/** Kernels present, whether they are own properties or methods of a class. */
function kernelNames(kernels: Kernels): (keyof Kernels)[] {
  const names = new Set([...Object.keys(outputPosition), 'fill', 'accumulate', 'adamw'] as (keyof Kernels)[])
  return [...names].filter((name) => kernels[name] !== undefined)
}

function viewsIn(value: unknown): View[] {
  if (value === null || typeof value !== 'object') return []
  if (isView(value)) return [value]
  return Object.values(value).flatMap((item) => (isView(item) ? [item] : []))
}

function isView(value: unknown): value is View {
  return typeof value === 'object' && value !== null && 'byteOffset' in value && 'dtype' in value && 'shape' in value
}
