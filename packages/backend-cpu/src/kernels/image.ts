import { type ConvWindow, type ImageKernels, type NormActivation, type Saved, sizeOf, type View } from '@dit/tensor'
import type { Engine } from '../engine.js'
import { addressOf, type CpuBuffer, type Memory } from '../memory.js'

const FLOAT_BYTES = 4

/** Values that the windows of a block of pixels see, at most: 16 MiB, whatever the size of the image. */
const COLUMN_VALUES = 4 * 1024 * 1024

/** Blocks are whole numbers of these, so that products seldom end in the middle of a vector. */
const BLOCK_STEP = 64

/** As `enum Activation` of csrc/functions.h. */
const activations: Readonly<Record<NormActivation, number>> = { none: 0, silu: 2 }

interface SavedBuffer extends Saved {
  readonly buffer: CpuBuffer
}

export function imageKernels({ call }: Engine, memory: Memory): ImageKernels {
  /** Runs a kernel with memory that lives no longer than it. */
  function withFloats(count: number, run: (address: number) => void): void {
    if (count === 0) return run(0)
    const buffer = memory.allocate(count * FLOAT_BYTES)
    try {
      run(buffer.address)
    } finally {
      memory.free(buffer)
    }
  }

  return {
    conv2d(x, weight, bias, window, out) {
      const { values, extents } = convolution(x, weight, window, out)
      withFloats(values, (columns) => {
        call('conv2d', ...[x, weight, bias, out].map(addressOf), columns, ...extents)
      })
    },
    conv2dBackward(x, weight, window, dout, { dx, dweight, dbias }) {
      const { values, extents } = convolution(x, weight, window, dout)
      withFloats(values, (columns) => {
        call('conv2d_backward', ...[x, weight, dout, dx, dweight, dbias].map(addressOf), columns, ...extents)
      })
    },
    groupNorm(x, weight, bias, { numGroups, epsilon, activation }, out, keep) {
      const [B, C] = x.shape
      const buffer = keep ? memory.allocate(2 * B * numGroups * FLOAT_BYTES) : null
      const addresses = [...[x, weight, bias, out].map(addressOf), buffer?.address ?? 0]
      call('group_norm', ...addresses, B, C, pixelsOf(x), numGroups, epsilon, activations[activation])
      const saved: SavedBuffer | null = buffer && { buffer, dispose: () => memory.free(buffer) }
      return saved
    },
    groupNormBackward(x, weight, bias, { numGroups, activation }, saved, dout, { dx, dweight, dbias }) {
      const [B, C] = x.shape
      const inputs = [...[x, weight, bias].map(addressOf), (saved as SavedBuffer).buffer.address, addressOf(dout)]
      const outputs = [dx, dweight, dbias].map(addressOf)
      withFloats(2 * B * C, (sums) => {
        call('group_norm_backward', ...inputs, ...outputs, sums, B, C, pixelsOf(x), numGroups, activations[activation])
      })
    },
    upsample2x(x, out) {
      call('upsample2x', addressOf(x), addressOf(out), ...rowsOf(x))
    },
    upsample2xBackward(dout, dx) {
      call('upsample2x_backward', addressOf(dout), addressOf(dx), ...rowsOf(dx))
    },
  }
}

/** What the kernels are told of a convolution, and how many values of a workspace they need for it. */
function convolution(x: View, weight: View, { stride, top, left }: ConvWindow, out: View) {
  const [B, C, H, W] = x.shape
  const [O, , KH, KW] = weight.shape
  const [, , height, width] = out.shape
  const pixels = height * width
  const terms = C * KH * KW
  const isPlain = KH * KW * stride === 1 && top === 0 && left === 0 && height === H && width === W
  const block = Math.min(pixels, Math.max(1, Math.floor(COLUMN_VALUES / terms / BLOCK_STEP)) * BLOCK_STEP)
  return {
    values: isPlain ? 0 : terms * block,
    extents: [block, B, C, H, W, O, KH, KW, stride, top, left, height, width],
  }
}

function pixelsOf({ shape }: View): number {
  return shape[2] * shape[3]
}

/** Rows of all images, and their width. */
function rowsOf({ shape }: View): readonly number[] {
  return [sizeOf(shape.slice(0, 3)), shape[3]]
}
