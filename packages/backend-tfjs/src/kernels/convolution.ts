import type { ConvWindow, ImageKernels, InferenceKernels, View } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import type { Runner } from '../runner.js'
import { relu, relu6 } from './activation.js'
import { multiplyTransposed } from './product.js'

type Convolution = Pick<ImageKernels, 'conv2d' | 'conv2dBackward'> & Pick<InferenceKernels, 'groupedConv2d'>

/**
 * Convolutions by those of tfjs. Its engines want the channels last, so that images and results are transposed. The
 * gradient of the weights is made of products, one for each place of the window, because the wasm engine has no kernel for it.
 */
export function convolutionKernels(runner: Runner): Convolution {
  return {
    conv2d(x, weight, bias, window, out) {
      runner.run(out, () => {
        const images = channelsLast(padded(runner, x, weight, window, out)) // [B, H, W, C]
        return channelsFirst(ungrouped(images, runner.read(weight), window), bias && runner.read(bias))
      })
    },
    groupedConv2d(x, weight, bias, convolution, out) {
      const { groups, activation } = convolution
      runner.run(out, () => {
        const images = channelsLast(padded(runner, x, weight, convolution, out)) // [B, H, W, C]
        const filters = runner.read(weight) // [O, C / groups, KH, KW]
        const sums =
          groups > 1 && weight.shape[1] === 1
            ? depthwise(images, filters, convolution)
            : joined(images, filters, groups, (part, filter) => ungrouped(part, filter, convolution))
        return activations[activation](channelsFirst(sums, bias && runner.read(bias)))
      })
    },
    conv2dBackward(x, weight, window, dout, outputs) {
      runner.runAll(outputs, () => {
        const gradient = channelsLast(runner.read(dout)) // [B, OH, OW, O]
        return {
          ...(outputs.dx && { dx: imageGradient(runner, x, weight, window, gradient) }),
          ...(outputs.dweight && { dweight: weightGradient(runner, x, weight, window, dout, gradient) }),
          ...(outputs.dbias && { dbias: tf.sum(gradient, [0, 1, 2]) }),
        }
      })
    },
  }
}

const activations = { none: (x: tf.Tensor) => x, relu, relu6 }

/** `[B, OH, OW, O]` of images `[B, H, W, C]` and a weight `[O, C, KH, KW]`. */
function ungrouped(images: tf.Tensor4D, weight: tf.Tensor, window: ConvWindow): tf.Tensor4D {
  if (weight.size === 1) return depthwise(images, weight, window)
  return tf.conv2d(images, tf.transpose(weight, [2, 3, 1, 0]) as tf.Tensor4D, window.stride, 'valid')
}

/** The same for a weight `[O, 1, KH, KW]`, with as many groups as channels. */
function depthwise(images: tf.Tensor4D, weight: tf.Tensor, { stride }: ConvWindow): tf.Tensor4D {
  const [O, , KH, KW] = weight.shape
  const [, , , C] = images.shape
  // The wasm engine gives -Infinity for NaN in such a convolution, ungrouped or not.
  if (weight.size === C && stride === 1) return tf.mul(images, tf.reshape(weight, [C]))
  const filter = tf.reshape(tf.transpose(weight, [2, 3, 0, 1]), [KH, KW, C, O / C]) as tf.Tensor4D
  return tf.depthwiseConv2d(images, filter, stride, 'valid')
}

/** Each group of channels by itself, one after the other. */
function joined(
  images: tf.Tensor4D,
  weight: tf.Tensor,
  groups: number,
  convolve: (images: tf.Tensor4D, weight: tf.Tensor) => tf.Tensor4D,
): tf.Tensor4D {
  if (groups === 1) return convolve(images, weight)
  const weights = tf.split(weight, groups, 0)
  return tf.concat(
    tf.split(images, groups, 3).map((part, group) => convolve(part as tf.Tensor4D, weights[group])),
    3,
  )
}

/** `[B, O, OH, OW]` of sums `[B, OH, OW, O]`, with the bias `[O]`. */
function channelsFirst(sums: tf.Tensor4D, bias: tf.Tensor | null): tf.Tensor {
  return tf.transpose(bias === null ? sums : tf.add(sums, bias), [0, 3, 1, 2])
}

/** The images with zeros around them, without the rows and columns that no window reaches: `[B, C, height, width]`. */
function padded(runner: Runner, x: View, weight: View, window: ConvWindow, out: View): tf.Tensor {
  const [height, width] = reach(weight, window, out)
  const [B, C, H, W] = x.shape
  const { top, left } = window
  const [bottom, right] = [Math.max(0, height - top - H), Math.max(0, width - left - W)]
  const images = runner.read(x)
  const isLarger = top + left + bottom + right > 0
  const larger = isLarger
    ? tf.pad(images, [
        [0, 0],
        [0, 0],
        [top, bottom],
        [left, right],
      ])
    : images
  return larger.shape[2] === height && larger.shape[3] === width
    ? larger
    : tf.slice(larger, [0, 0, 0, 0], [B, C, height, width])
}

/** Rows and columns from the first that a window begins at to the last that one sees. */
function reach(weight: View, { stride }: ConvWindow, out: View): [number, number] {
  const [, , KH, KW] = weight.shape
  const [, , height, width] = out.shape
  return [(height - 1) * stride + KH, (width - 1) * stride + KW]
}

function imageGradient(runner: Runner, x: View, weight: View, window: ConvWindow, gradient: tf.Tensor4D): tf.Tensor {
  const [B, C, H, W] = x.shape
  const { stride, top, left } = window
  const filter = tf.transpose(runner.read(weight), [2, 3, 1, 0]) as tf.Tensor4D // [KH, KW, C, O]
  const [, height, width] = gradient.shape
  const [KH, KW] = filter.shape
  const reached: [number, number] = [(height - 1) * stride + KH, (width - 1) * stride + KW]
  const whole = tf.conv2dTranspose(gradient, filter, [B, ...reached, C], stride, 'valid') // of the padded images
  const [bottom, right] = [Math.max(0, top + H - reached[0]), Math.max(0, left + W - reached[1])]
  const rest = tf.pad(whole, [
    [0, 0],
    [0, bottom],
    [0, right],
    [0, 0],
  ])
  return tf.transpose(tf.slice(rest, [0, top, left, 0], [B, H, W, C]), [0, 3, 1, 2])
}

function weightGradient(
  runner: Runner,
  x: View,
  weight: View,
  window: ConvWindow,
  dout: View,
  gradient: tf.Tensor4D,
): tf.Tensor {
  const [O, C, KH, KW] = weight.shape
  const [B, height, width] = gradient.shape
  const images = channelsLast(padded(runner, x, weight, window, dout)) // [B, H, W, C]
  const slopes = tf.reshape(gradient, [B * height * width, O])
  const places: tf.Tensor[] = []
  for (let u = 0; u < KH; u++) {
    for (let v = 0; v < KW; v++) {
      const seen = everyNth(everyNth(images, 1, u, window.stride, height), 2, v, window.stride, width) // [B, OH, OW, C]
      const rows = tf.reshape(seen, [B * height * width, C])
      places.push(multiplyTransposed(slopes, rows, { product: true, sums: false }).product!) // [O, C]
    }
  }
  return tf.reshape(tf.stack(places, 2), [O, C, KH, KW])
}

/** `count` entries of an axis, `step` apart. Not by tf.stridedSlice, some of whose kernels are wrong. */
function everyNth(x: tf.Tensor, axis: number, start: number, step: number, count: number): tf.Tensor {
  const at = (length: number) => x.shape.map((extent, i) => (i === axis ? length : extent))
  const begin = x.shape.map((_, i) => (i === axis ? start : 0))
  if (step === 1) return tf.slice(x, begin, at(count))
  const before = x.shape.slice(0, axis).reduce((size, extent) => size * extent, 1)
  const after = x.shape.slice(axis + 1).reduce((size, extent) => size * extent, 1)
  const missing = Math.max(0, start + step * count - x.shape[axis])
  const long = tf.pad(
    x,
    x.shape.map((_, i) => (i === axis ? [0, missing] : [0, 0])),
  )
  const runs = tf.reshape(tf.slice(long, begin, at(step * count)), [before, count, step * after])
  return tf.reshape(tf.slice(runs, [0, 0, 0], [before, count, after]), at(count))
}

function channelsLast(x: tf.Tensor): tf.Tensor4D {
  return tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D
}
