import type { StoredDType, StoredSpec } from '../dtype.js'
import type { TorchPlaceholder } from './placeholder.js'

/**
 * What a `.pt` file holds besides its tensors, in JavaScript: dict, OrderedDict and argparse.Namespace are Maps; lists, tuples and
 * torch.Size are arrays; torch.dtype, torch.device and torch.layout are strings such as `torch.float16`. Integers beyond
 * 2^53 are bigints. Of anything else only the name of its class is kept.
 */
export type TorchValue =
  | TorchKey
  | null
  | Uint8Array
  | TorchTensor
  | TorchPlaceholder
  | readonly TorchValue[]
  | ReadonlySet<TorchValue>
  | ReadonlyMap<TorchKey, TorchValue>

/** What the keys of a dict can be. */
export type TorchKey = string | number | bigint | boolean

/** Elements that one or several tensors look at. */
export class TorchStorage {
  /** Name within the file. */
  readonly key: string
  readonly bytes: number
  /** Null for bytes whose type each tensor says itself. */
  readonly dtype: StoredDType | null
  /** First byte within the stored bytes of `key`, which old files may cut into several storages. */
  readonly byteOffset: number

  constructor(key: string, bytes: number, dtype: StoredDType | null, byteOffset: number) {
    this.key = key
    this.bytes = bytes
    this.dtype = dtype
    this.byteOffset = byteOffset
  }
}

/** A tensor in a `.pt` file: a view of a storage. Its elements are read by `TorchFile.tensor`. */
export class TorchTensor implements StoredSpec {
  readonly dtype: StoredDType
  readonly shape: readonly number[]
  /** Elements from one index of an axis to the next, per axis. */
  readonly strides: readonly number[]
  /** Elements before the first one. */
  readonly offset: number
  readonly storage: TorchStorage

  constructor(dtype: StoredDType, view: Pick<TorchTensor, 'shape' | 'strides' | 'offset'>, storage: TorchStorage) {
    this.dtype = dtype
    this.shape = view.shape
    this.strides = view.strides
    this.offset = view.offset
    this.storage = storage
  }
}
