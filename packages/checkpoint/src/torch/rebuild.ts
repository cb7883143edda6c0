import { arrayBytes, itemBytes } from '../dtype.js'
import { bracket } from '../quote.js'
import type { Fail } from './error.js'
import { dtypeNamed } from './dtypes.js'
import { TorchPlaceholder } from './placeholder.js'
import { TorchStorage, TorchTensor } from './value.js'

/** As many axes as torch allows. */
const MAX_AXES = 64

/**
 * A tensor from `(storage, offset, sizes, strides, ...)`, as torch's `_rebuild_tensor` functions take them; version 3 adds the
 * dtype after `requires_grad` and the hooks.
 *
 * Every element must lie within the storage. Nothing is read or allocated. Elements that no typed array holds (complex, quantized) make a
 * placeholder.
 */
export function rebuildTensor(args: readonly unknown[], fail: Fail): TorchTensor | TorchPlaceholder {
  const [storage, offset, shape, strides, , , sixth, seventh] = args
  if (storage instanceof TorchPlaceholder) return storage
  if (!(storage instanceof TorchStorage)) throw fail('a tensor must have a storage')
  const named = dtypeNamed(sixth)
  if (named === null) return new TorchPlaceholder(`a tensor of ${sixth as string}`)
  const dtype = named ?? storage.dtype
  if (dtype === null) throw fail('a tensor of untyped bytes must say its dtype')
  requirePlain(named === undefined ? sixth : seventh, fail)
  if (!isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
    throw fail(`a tensor must have as many strides as sizes, ${MAX_AXES} at most, all of them non-negative integers`)
  }
  if (!Number.isSafeInteger(offset) || (offset as number) < 0) throw fail('a tensor must have a non-negative offset')

  const bytes = arrayBytes({ dtype, shape })
  if (bytes === undefined) throw fail(`a tensor of shape ${bracket(shape)} must stay below 2^53 bytes`)
  const start = offset as number
  if (bytes > 0) {
    const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis], start)
    const count = Math.floor(storage.bytes / itemBytes(dtype))
    // Sums beyond 2^53 round, but never below it.
    if (last >= count) {
      throw fail(
        `a tensor of shape ${bracket(shape)}, strides ${bracket(strides)} and offset ${start} must lie within its storage (${count} elements)`,
      )
    }
  }
  // Copies: the pickle can still append to a list that it gave.
  const view = { shape: Object.freeze([...shape]), strides: Object.freeze([...strides]), offset: start }
  return new TorchTensor(dtype, view, storage)
}

/** Conjugated and negated views keep their storage as it was before. */
function requirePlain(metadata: unknown, fail: Fail): void {
  if (!(metadata instanceof Map)) return
  for (const [name, value] of metadata) {
    if (value === true) throw fail(`a tensor must be stored as it is (${String(name)} is set); save a clone of it`)
  }
}

function isCounts(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) && value.length <= MAX_AXES && value.every((size) => Number.isSafeInteger(size) && size >= 0)
  )
}
