import type { Features } from './features.js'

/** Where an array of maps has its axes: N pictures, C channels, H rows, W columns. */
export type MapLayout = 'NHWC' | 'NCHW'

/**
 * Features of sFID: the first channels of spatial maps, each picture one vector in the order H, W, C, which the statistics of the ADM
 * suite have. The distance itself does not depend on the order.
 *
 * @param maps  for sFID the output of `mixed_6/conv` of the FID Inception, `[N, 17, 17, 768]`
 * @param options  `channels` defaults to 7: 17 * 17 * 7 = 2023 numbers
 * @throws RangeError unless `maps` has four axes and at least `channels` channels
 *
 * Nash et al. 2021, "Generating Images with Sparse Representations", section 4.2.
 */
export function spatialFeatures(
  { shape, data }: Features,
  { channels = 7, layout = 'NHWC' }: { readonly channels?: number; readonly layout?: MapLayout } = {},
): Features {
  if (layout !== 'NHWC' && layout !== 'NCHW')
    throw new RangeError(`spatialFeatures: the layout must be NHWC or NCHW; it is ${String(layout)}`)
  if (shape.length !== 4 || shape.reduce((a, b) => a * b, 1) !== data.length) {
    throw new RangeError(
      `spatialFeatures: maps must have four axes (${layout}) and all their numbers; shape [${shape.join(', ')}] with ${data.length}`,
    )
  }
  const [count] = shape
  const [height, width, depth] = layout === 'NHWC' ? shape.slice(1) : [shape[2], shape[3], shape[1]]
  if (!Number.isInteger(channels) || channels < 1 || channels > depth)
    throw new RangeError(`spatialFeatures: channels must be in 1 .. ${depth}, what the maps have; it is ${channels}`)
  const places = height * width
  const size = places * channels
  const out = data instanceof Float32Array ? new Float32Array(count * size) : new Float64Array(count * size)
  const [placeStep, channelStep] = layout === 'NHWC' ? [depth, 1] : [1, places]
  for (let n = 0; n < count; n++) {
    for (let place = 0; place < places; place++) {
      for (let c = 0; c < channels; c++)
        out[n * size + place * channels + c] = data[n * places * depth + place * placeStep + c * channelStep]
    }
  }
  return { shape: [count, size], data: out }
}
