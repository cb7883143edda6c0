import type { DType } from '@dit/tensor'
import type { Engine, Extension } from '../engine.js'
import { addressOf, type Memory } from '../memory.js'
import { activationNumber } from '../kernels/activations.js'
import { fusedKernels } from '../kernels/fused.js'
import { isHalf, halfOf, transfers } from './halves.js'
import { modernKernels } from './modern.js'

/** Kernels of newer transformers, and weights in half precision. */
export function nativeExtension(engine: Engine, memory: Memory, dtypes: readonly DType[]): Extension {
  const fused = fusedKernels(engine, memory)
  return {
    dtypes,
    ...transfers(engine),
    kernels: {
      ...modernKernels(engine, memory),
      linear(x, weight, bias, activation, out, keep) {
        if (!isHalf(weight.dtype)) return fused.linear(x, weight, bias, activation, out, keep)
        const [[rows], [O, K]] = [x.shape, weight.shape]
        const addresses = [x, weight, bias, out].map(addressOf)
        engine.call('linear_half', ...addresses, rows, K, O, activationNumber(activation), halfOf(weight))
        return null
      },
    },
  }
}
