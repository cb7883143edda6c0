import type { Communicator, DirectCollectives, Floats, Numbers } from '@dit/collectives'
import { type Backend, elements, type Tensor, type TensorData, typedArray } from '@dit/tensor'

/** Arrays on the host that numbers of an engine travel through, used again and again. */
export interface Staging {
  take(length: number): Floats
  readonly give: (array: Floats) => void
}

export function createStaging({ float }: Backend): Staging {
  const free: Floats[] = []
  return {
    take(length) {
      const index = free.findIndex((array) => array.length === length)
      if (index >= 0) return free.splice(index, 1)[0]
      return typedArray(float, length) as Floats
    },
    give: (array) => void free.push(array),
  }
}

/** Runs `work` on elements `start` and following of a segment; the view is gone afterwards. */
export function onElements<T>(segment: Tensor, start: number, length: number, work: (view: Tensor) => T): T {
  const isWhole = start === 0 && length === segment.size && segment.shape.length === 1
  const view = isWhole ? segment : elements(segment, start, length)
  try {
    return work(view)
  } finally {
    if (view !== segment) view.dispose()
  }
}

/** Copies elements to the host, which some engines can only do later. */
export function readElements(segment: Tensor, start: number, into: Floats): void | Promise<void> {
  return onElements(segment, start, into.length, (view) => {
    const { backend } = view
    if (backend.read !== undefined) return backend.read(view, into)
    return view.data().then((data) => into.set(data as Floats))
  })
}

/** Copies elements from the host. */
export function writeElements(segment: Tensor, start: number, values: Floats): void {
  onElements(segment, start, values.length, (view) => view.backend.upload(view, values as TensorData))
}

/** Collectives that read and write the engine's memory themselves, where both the communicator and the engine can. */
export function directCollectives({ direct }: Communicator, backend: Backend): DirectCollectives | undefined {
  return backend.read !== undefined && backend.supportsViews ? direct : undefined
}

/**
 * Elements of a segment as numbers of a collective.
 *
 * @param size   elements that are there, from `offset` on
 * @param length of the numbers: behind the elements zeros are read, and what is written is dropped
 */
export function segmentNumbers(segment: Tensor, offset: number, size: number, length = size): Numbers {
  const inside = (start: number, values: Floats) => Math.max(0, Math.min(values.length, size - start))
  return {
    length,
    bytesPerElement: segment.dtype === 'f64' ? 8 : 4,
    read(start, into) {
      const count = inside(start, into)
      if (count > 0) void readElements(segment, offset + start, into.subarray(0, count))
      if (count < into.length) into.fill(0, count)
    },
    write(start, from) {
      const count = inside(start, from)
      if (count > 0) writeElements(segment, offset + start, from.subarray(0, count))
    },
  }
}
