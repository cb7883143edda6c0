import { type Backend, elements, type Tensor, type TensorData, typedArray } from '@dit/tensor'
import type { Floats } from '../communicator/communicator.js'

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
