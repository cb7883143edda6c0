import { type ImageKernels, type PoolWindow, type InferenceKernels, type Saved, sizeOf, type View } from '@dit/tensor'
import type { Engine } from '../engine.js'
import { addressOf, type CpuBuffer, type Memory } from '../memory.js'
import { activationNumber } from './activations.js'
import { convolutionKernels } from './convolution.js'
import { withFloats } from './workspace.js'

const FLOAT_BYTES = 4

interface SavedBuffer extends Saved {
  readonly buffer: CpuBuffer
}

export function imageKernels(engine: Engine, memory: Memory): ImageKernels & InferenceKernels {
  const { call } = engine
  const pool = (x: View, window: PoolWindow, out: View, isMax: boolean) => {
    const { height, width, strideHeight, strideWidth, top, left } = window
    const [B, C, H, W] = x.shape
    const extents = [B * C, H, W, height, width, strideHeight, strideWidth, top, left, ...out.shape.slice(2)]
    call('pool', addressOf(x), addressOf(out), ...extents, Number(isMax))
  }

  return {
    ...convolutionKernels(engine, memory),
    groupNorm(x, weight, bias, { numGroups, epsilon, activation }, out, keep) {
      const [B, C] = x.shape
      const buffer = keep ? memory.allocate(2 * B * numGroups * FLOAT_BYTES) : null
      const addresses = [...[x, weight, bias, out].map(addressOf), buffer?.address ?? 0]
      call('group_norm', ...addresses, B, C, pixelsOf(x), numGroups, epsilon, activationNumber(activation))
      const saved: SavedBuffer | null = buffer && { buffer, dispose: () => memory.free(buffer) }
      return saved
    },
    groupNormBackward(x, weight, bias, { numGroups, activation }, saved, dout, { dx, dweight, dbias }) {
      const [B, C] = x.shape
      const inputs = [...[x, weight, bias].map(addressOf), (saved as SavedBuffer).buffer.address, addressOf(dout)]
      const outputs = [dx, dweight, dbias].map(addressOf)
      withFloats(memory, 2 * B * C, (sums) => {
        call(
          'group_norm_backward',
          ...inputs,
          ...outputs,
          sums,
          B,
          C,
          pixelsOf(x),
          numGroups,
          activationNumber(activation),
        )
      })
    },
    upsample2x(x, out) {
      call('upsample2x', addressOf(x), addressOf(out), ...rowsOf(x))
    },
    upsample2xBackward(dout, dx) {
      call('upsample2x_backward', addressOf(dout), addressOf(dx), ...rowsOf(dx))
    },
    maxPool2d(x, window, out) {
      pool(x, window, out, true)
    },
    averagePool2d(x, window, out) {
      pool(x, window, out, false)
    },
  }
}

function pixelsOf({ shape }: View): number {
  return shape[2] * shape[3]
}

/** Rows of all images, and their width. */
function rowsOf({ shape }: View): readonly number[] {
  return [sizeOf(shape.slice(0, 3)), shape[3]]
}
