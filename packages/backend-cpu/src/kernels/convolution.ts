import type { ConvWindow, GroupedConvolution, ImageKernels, InferenceKernels, View } from '@dit/tensor'
import type { Engine } from '../engine.js'
import { addressOf, type Memory } from '../memory.js'
import { activationNumber } from './activations.js'
import { withFloats } from './workspace.js'

type Convolution = Pick<ImageKernels, 'conv2d' | 'conv2dBackward'> & Pick<InferenceKernels, 'groupedConv2d'>

const FLOAT_BYTES = 4

/** Values of copies of images, and of what the windows of a block of pixels see, at most: 16 MiB, whatever the size of the image. */
const WORKSPACE_VALUES = 4 * 1024 * 1024

/** Blocks are whole numbers of these, so that products seldom end in the middle of a vector. */
const BLOCK_STEP = 64

/** Floats of the widest vector, which may be read behind a copy; packed weights are filled up to as many rows of outputs. */
const SLACK = 16

/** As `MOST_PLACES` of csrc/windows.h. */
const MOST_PLACES = 1024

/** Floats of a thread's scratch: `SCRATCH_FLOATS` of csrc/context.h. */
const SCRATCH_FLOATS = 128 * 1024

export function convolutionKernels({ call }: Engine, memory: Memory): Convolution {
  function product(x: View, weight: View, bias: View | null, convolution: GroupedConvolution, out: View): void {
    const { stride, top, left, groups, activation } = convolution
    const [B, C, H, W] = x.shape
    const [O, channels, KH, KW] = weight.shape
    const [, , height, width] = out.shape
    const terms = channels * KH * KW
    const packed = (O + SLACK * groups) * terms
    const { images, rows, values } = copied(x, weight, convolution, out)
    withFloats(memory, packed + terms + values, (workspace) => {
      const [offsets, copy] = [workspace + packed * FLOAT_BYTES, workspace + (packed + terms) * FLOAT_BYTES]
      const addresses = [...[x, weight, bias, out].map(addressOf), workspace, offsets, values === 0 ? 0 : copy]
      const extents = [images, rows, B, groups, C, H, W, O, KH, KW, stride, top, left, height, width]
      call('conv2d', ...addresses, ...extents, activationNumber(activation))
    })
  }

  return {
    conv2d(x, weight, bias, window, out) {
      product(x, weight, bias, { ...window, groups: 1, activation: 'none' }, out)
    },
    groupedConv2d(x, weight, bias, convolution, out) {
      if (!isDepthwise(weight, convolution, out)) {
        product(x, weight, bias, convolution, out)
        return
      }
      const { stride, top, left, activation } = convolution
      const [B, C, H, W] = x.shape
      const [O, , KH, KW] = weight.shape
      const extents = [B, C, O, H, W, KH, KW, stride, top, left, ...out.shape.slice(2)]
      call('depthwise', ...[x, weight, bias, out].map(addressOf), ...extents, activationNumber(activation))
    },
    conv2dBackward(x, weight, window, dout, { dx, dweight, dbias }) {
      const { values, extents } = columns(x, weight, window, dout)
      withFloats(memory, values, (address) => {
        call('conv2d_backward', ...[x, weight, dout, dx, dweight, dbias].map(addressOf), address, ...extents)
      })
    },
  }
}

/** Whether each channel is a group, and a row of results fits a thread's scratch. */
function isDepthwise(
  { shape: [, channels, KH, KW] }: View,
  { stride, groups }: GroupedConvolution,
  out: View,
): boolean {
  const row = (KH + stride) * (stride * out.shape[3] + KW) + 2 * SLACK
  return channels === 1 && groups > 1 && KH * KW <= MOST_PLACES && row <= SCRATCH_FLOATS
}

/**
 * How images are copied with their padding, and so that windows lie side by side: some images at a time, or some rows of results of
 * one. Nothing is copied where windows step by 1 and lie within the image.
 */
function copied(x: View, weight: View, { stride, top, left }: ConvWindow, out: View) {
  const [B, C, H, W] = x.shape
  const [, , KH, KW] = weight.shape
  const [, , height, width] = out.shape
  const isWithin = top === 0 && left === 0 && height - 1 + KH <= H && width - 1 + KW <= W
  if (stride === 1 && isWithin) return { images: B, rows: height, values: 0 }
  // As `Spread` of csrc/windows.h.
  const [down, across] = [Math.min(KH, stride), Math.min(KW, stride)]
  const perRow = C * down * across * (width + Math.floor((KW - 1) / stride))
  const more = Math.floor((KH - 1) / stride)
  const rows = Math.max(1, Math.min(height, Math.floor(WORKSPACE_VALUES / perRow) - more))
  const image = perRow * (rows + more)
  const images = rows < height ? 1 : Math.max(1, Math.min(B, Math.floor(WORKSPACE_VALUES / image)))
  return { images, rows, values: images * image + SLACK }
}

/** What the backward kernel is told of a convolution, and how many values of a workspace it needs for it. */
function columns(x: View, weight: View, { stride, top, left }: ConvWindow, out: View) {
  const [B, C, H, W] = x.shape
  const [O, , KH, KW] = weight.shape
  const [, , height, width] = out.shape
  const pixels = height * width
  const terms = C * KH * KW
  const isPlain = KH * KW * stride === 1 && top === 0 && left === 0 && height === H && width === W
  const block = Math.min(pixels, Math.max(1, Math.floor(WORKSPACE_VALUES / terms / BLOCK_STEP)) * BLOCK_STEP)
  return {
    values: isPlain ? 0 : terms * block,
    extents: [block, B, C, H, W, O, KH, KW, stride, top, left, height, width],
  }
}
