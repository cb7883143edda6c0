import type { Saved, Shape, View } from '@dit/tensor'
import type { Runtime } from '../runtime/runtime.js'

/** Memory between a forward kernel and its backward twin. */
export interface SavedView extends Saved {
  readonly view: View
}

/** Room for so many floats that lives until it is disposed of, or null where nothing is kept. */
export function saving(runtime: Runtime, count: number, isKept: boolean): SavedView | null {
  if (!isKept) return null
  const view = runtime.temporary(count)
  return { view, dispose: () => runtime.release(view) }
}

/** What a forward kernel of this backend saved. */
export function viewOf(saved: Saved): View {
  return (saved as SavedView).view
}

/** The same memory under another shape. Tensors are views with getters, so they are not spread. */
export function placed({ buffer, byteOffset, dtype }: View, shape: Shape): View {
  return { buffer, byteOffset, dtype, shape }
}

/** What a tensor views, for a kernel that runs when the tensor may be gone and its memory is not. */
export function plain(view: View): View {
  return placed(view, view.shape)
}
