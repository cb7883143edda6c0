import type { ConvWindow, GroupNormalization, ImageKernels, Saved, View } from '@dit/tensor'

const floats = ({ buffer, byteOffset, shape }: View): Float64Array =>
  new Float64Array(
    buffer as ArrayBuffer,
    byteOffset,
    shape.reduce((size, extent) => size * extent, 1),
  )

/** The kernels over images, written from the formulas of their doc comments. See `fusedReference`. */
export function imageKernels(hold: () => Saved): ImageKernels {
  return {
    conv2d(x, weight, bias, window, out) {
      const [from, w, b, to] = [floats(x), floats(weight), bias && floats(bias), floats(out)]
      const plane = out.shape[2] * out.shape[3]
      to.forEach((_, i) => (to[i] = b?.[Math.floor(i / plane) % out.shape[1]] ?? 0))
      eachProduct(x, weight, window, out, (at, weightAt, outAt) => (to[outAt] += w[weightAt] * from[at]))
    },
    conv2dBackward(x, weight, window, dout, { dx, dweight, dbias }) {
      const [from, w, dy] = [x, weight, dout].map(floats)
      const [toX, toWeight, toBias] = [dx, dweight, dbias].map((view) => view && floats(view).fill(0))
      eachProduct(x, weight, window, dout, (at, weightAt, outAt) => {
        if (toX !== null) toX[at] += w[weightAt] * dy[outAt]
        if (toWeight !== null) toWeight[weightAt] += from[at] * dy[outAt]
      })
      const plane = dout.shape[2] * dout.shape[3]
      if (toBias !== null) dy.forEach((value, i) => (toBias[Math.floor(i / plane) % dout.shape[1]] += value))
    },
    groupNorm(x, weight, bias, norm, out, keep) {
      const [w, b, to] = [weight, bias, out].map(floats)
      groups(x, norm).forEach(({ normalized, indices, channels }) =>
        indices.forEach((i, j) => {
          const value = normalized[j] * w[channels[j]] + b[channels[j]]
          to[i] = norm.activation === 'silu' ? value / (1 + Math.exp(-value)) : value
        }),
      )
      return keep ? hold() : null
    },
    groupNormBackward(x, weight, bias, norm, saved, dout, { dx, dweight, dbias }) {
      if (saved === null) throw new Error('saved is missing')
      const [w, b, dy] = [weight, bias, dout].map(floats)
      const [toX, toWeight, toBias] = [dx, dweight, dbias].map((view) => view && floats(view).fill(0))
      for (const { normalized, indices, channels, inverse } of groups(x, norm)) {
        const slopes = indices.map((i, j) => {
          const value = normalized[j] * w[channels[j]] + b[channels[j]]
          const s = 1 / (1 + Math.exp(-value))
          return dy[i] * (norm.activation === 'silu' ? s + value * s * (1 - s) : 1)
        })
        const g = slopes.map((slope, j) => slope * w[channels[j]])
        const mean = g.reduce((sum, value) => sum + value, 0) / g.length
        const along = g.reduce((sum, value, j) => sum + value * normalized[j], 0) / g.length
        indices.forEach((i, j) => {
          if (toX !== null) toX[i] = inverse * (g[j] - mean - normalized[j] * along)
          if (toWeight !== null) toWeight[channels[j]] += slopes[j] * normalized[j]
          if (toBias !== null) toBias[channels[j]] += slopes[j]
        })
      }
    },
    upsample2x(x, out) {
      const to = floats(out)
      eachPixel(x.shape, out.shape, (from, i) => (to[i] = floats(x)[from]))
    },
    upsample2xBackward(dout, dx) {
      const to = floats(dx).fill(0)
      eachPixel(dx.shape, dout.shape, (at, i) => (to[at] += floats(dout)[i]))
    },
  }
}

/** Calls back for every product of a convolution, with the places of x, weight and out. */
function eachProduct(
  x: View,
  weight: View,
  { stride, top, left }: ConvWindow,
  out: View,
  visit: (x: number, weight: number, out: number) => void,
): void {
  const [B, C, H, W] = x.shape
  const [O, , KH, KW] = weight.shape
  const [, , height, width] = out.shape
  for (let b = 0; b < B; b++) {
    for (let o = 0; o < O; o++) {
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          for (let c = 0; c < C; c++) {
            for (let u = 0; u < KH; u++) {
              for (let v = 0; v < KW; v++) {
                const [row, column] = [stride * i + u - top, stride * j + v - left]
                if (row < 0 || row >= H || column < 0 || column >= W) continue
                visit(
                  ((b * C + c) * H + row) * W + column,
                  ((o * C + c) * KH + u) * KW + v,
                  ((b * O + o) * height + i) * width + j,
                )
              }
            }
          }
        }
      }
    }
  }
}

/** The groups of all samples: which elements they hold, of which channels, and their normalised values. */
function groups(x: View, { numGroups, epsilon }: GroupNormalization) {
  const from = floats(x)
  const [B, C, H, W] = x.shape
  const size = (C / numGroups) * H * W
  return Array.from({ length: B * numGroups }, (_, group) => {
    const indices = Array.from({ length: size }, (_, j) => group * size + j)
    const mean = indices.reduce((sum, i) => sum + from[i], 0) / size
    const inverse = 1 / Math.sqrt(indices.reduce((sum, i) => sum + (from[i] - mean) ** 2, 0) / size + epsilon)
    return {
      indices,
      inverse,
      channels: indices.map((i) => Math.floor(i / (H * W)) % C),
      normalized: indices.map((i) => (from[i] - mean) * inverse),
    }
  })
}

function eachPixel(small: readonly number[], large: readonly number[], visit: (from: number, to: number) => void) {
  const [B, C, H, W] = small
  const [, , height, width] = large
  for (let plane = 0; plane < B * C; plane++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        visit((plane * H + Math.floor(i / 2)) * W + Math.floor(j / 2), (plane * height + i) * width + j)
      }
    }
  }
}
