import type { Params } from '../autograd/value-and-grad.js'
import type { Backend } from '../backend.js'
import { bytesPerElement } from '../dtype.js'
import { assign } from '../ops/in-place.js'
import { zeros } from '../ops/create.js'
import { scope } from '../scope.js'
import { formatShape, sameShape, type Shape, sizeOf } from '../shape.js'
import type { Tensor } from '../tensor.js'

/** Every view starts at a multiple of this many bytes, which suits vector units and the binding rules of WebGPU. */
export const SEGMENT_ALIGNMENT = 256

/** Where each named tensor lies in a few flat segments. */
export interface FlatLayout {
  readonly entries: readonly FlatEntry[]
  /** Elements of each segment, padding included. */
  readonly segmentSizes: readonly number[]
}

export interface FlatEntry {
  readonly name: string
  readonly shape: Shape
  readonly segment: number
  /** First element within the segment. */
  readonly offset: number
}

/** Named tensors that are views of flat segments: one kernel updates, reduces or saves a segment. */
export interface FlatParams {
  readonly layout: FlatLayout
  readonly segments: readonly Tensor[]
  readonly params: Params
}

/**
 * Packs named shapes, in their order, into as few segments as the backend's buffer size allows. On a backend without
 * views every tensor is a segment of its own.
 *
 * @throws RangeError when one tensor alone is larger than a buffer
 */
export function flatLayout(shapes: Readonly<Record<string, Shape>>, backend: Backend): FlatLayout {
  const elementBytes = bytesPerElement(backend.float)
  const alignment = backend.supportsViews ? SEGMENT_ALIGNMENT / elementBytes : 1
  const limit = Math.floor(backend.maxBufferBytes / elementBytes)
  const entries: FlatEntry[] = []
  const segmentSizes: number[] = []
  for (const [name, shape] of Object.entries(shapes)) {
    const size = Math.ceil(sizeOf(shape) / alignment) * alignment
    if (size > limit) {
      throw new RangeError(
        `flatLayout: ${name} ${formatShape(shape)} needs ${size * elementBytes} bytes, and a buffer of ${backend.name} holds at most ${backend.maxBufferBytes}; a tensor is not split: use another backend, or a smaller model`,
      )
    }
    const last = segmentSizes.length - 1
    if (last < 0 || !backend.supportsViews || segmentSizes[last] + size > limit) segmentSizes.push(0)
    const segment = segmentSizes.length - 1
    entries.push({ name, shape, segment, offset: segmentSizes[segment] })
    segmentSizes[segment] += size
  }
  return { entries, segmentSizes }
}

/** Segments full of zeros, with their views. The caller disposes of both with `disposeFlat`. */
export function allocateFlat(layout: FlatLayout, backend: Backend): FlatParams {
  const { float } = backend
  const segments = backend.supportsViews
    ? layout.segmentSizes.map((size) => zeros([size], { backend }))
    : layout.entries.map(({ shape }) => zeros(shape, { backend }))
  const params = Object.fromEntries(
    layout.entries.map(({ name, shape, segment, offset }) => [
      name,
      segments[segment].view(shape, offset * bytesPerElement(float)),
    ]),
  )
  return { layout, segments, params }
}

/**
 * Copies named tensors into flat segments.
 *
 * @throws RangeError when a name is missing or has another shape
 */
export function flatten(params: Params, layout: FlatLayout, backend: Backend): FlatParams {
  for (const { name, shape } of layout.entries) {
    const source = params[name]
    if (source === undefined || !sameShape(source.shape, shape)) {
      throw new RangeError(
        `flatten: ${name} must be ${formatShape(shape)} (got ${source === undefined ? 'nothing' : formatShape(source.shape)})`,
      )
    }
  }
  return scope(() => {
    const flat = allocateFlat(layout, backend)
    for (const { name } of layout.entries) assign(flat.params[name], params[name])
    return flat
  })
}

export function disposeFlat({ segments, params }: FlatParams): void {
  for (const tensor of [...Object.values(params), ...segments]) tensor.dispose()
}
