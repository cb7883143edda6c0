import type { Backend, BackendBuffer, View } from './backend.js'
import { bytesPerElement, type DType, isHalf, type TensorData } from './dtype.js'
import { registerInScope, Scoped } from './scope.js'
import { formatShape, type Shape, sizeOf } from './shape.js'

/** A buffer shared by the tensors that view it; freed when the last of them is gone. */
interface Storage {
  readonly backend: Backend
  readonly buffer: BackendBuffer
  readonly byteLength: number
  owners: number
}

let nextId = 1

/** Where tensors are noted whose memory is looked at. */
let reads: Set<Tensor> | null = null

/**
 * Numbers on an engine: a contiguous view with a shape and an element type. Values are immutable but for the kernels that
 * say otherwise (`accumulate`, `fill`, optimizer steps). Made by functions such as `tensor` and `zeros`, never by `new`.
 */
export class Tensor extends Scoped implements View {
  readonly id = nextId++
  readonly shape: Shape
  readonly dtype: DType
  readonly byteOffset: number
  private readonly storage: Storage
  private isDisposed = false
  private pins = 0

  /** @internal */
  constructor(storage: Storage, byteOffset: number, shape: Shape, dtype: DType) {
    super()
    this.storage = storage
    this.byteOffset = byteOffset
    this.shape = shape
    this.dtype = dtype
    storage.owners++
    registerInScope(this)
  }

  get backend(): Backend {
    return this.storage.backend
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  get byteLength(): number {
    return this.size * bytesPerElement(this.dtype)
  }

  /** @throws Error after `dispose` */
  get buffer(): BackendBuffer {
    if (!this.isAlive) throw new Error(`tensor ${formatShape(this.shape)} was used after it was disposed of`)
    reads?.add(this)
    return this.storage.buffer
  }

  /** False once the tensor was disposed of and no tape needs it any more. */
  get isAlive(): boolean {
    return !this.isDisposed || this.pins > 0
  }

  /** Copies the values to the host, row-major, as a typed array of this dtype. Asynchronous, because a GPU is. */
  data(): Promise<TensorData> {
    void this.buffer
    return this.backend.download(this)
  }

  /** Gives the memory back. Doing so twice is harmless. */
  override dispose(): void {
    if (this.isDisposed) return
    this.isDisposed = true
    this.releaseIfUnused()
  }

  override toString(): string {
    return `Tensor(${formatShape(this.shape)} ${this.dtype} on ${this.backend.name})`
  }

  /** Another tensor over the same memory. @internal */
  view(shape: Shape, byteOffset = this.byteOffset, dtype = this.dtype): Tensor {
    void this.buffer
    return new Tensor(this.storage, byteOffset, shape, dtype)
  }

  /** True where no other tensor shares the memory. @internal */
  get isSoleOwner(): boolean {
    return this.storage.owners === 1
  }

  /** Keeps the memory past `dispose` until `unpin`. @internal */
  pin(): void {
    void this.buffer
    this.pins++
  }

  /** @internal */
  unpin(): void {
    this.pins--
    if (this.isDisposed) this.releaseIfUnused()
  }

  private releaseIfUnused(): void {
    if (this.pins > 0) return
    if (--this.storage.owners === 0) this.backend.free(this.storage.buffer)
  }
}

/** What a value is, for an error that asks for something else. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Tensor || value instanceof Promise) return `a ${value.constructor.name}`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Result of `fn`, and the tensors that it read but did not make. */
export function withOuterReads<T>(fn: () => T): { readonly result: T; readonly outerReads: readonly Tensor[] } {
  const firstInside = nextId
  const around = reads
  const own = new Set<Tensor>()
  reads = own
  try {
    const result = fn()
    return { result, outerReads: [...own].filter(({ id }) => id < firstInside) }
  } finally {
    reads = around
    for (const tensor of own) around?.add(tensor)
  }
}

/**
 * New tensor with undefined contents, for a kernel to write.
 *
 * @throws TypeError for f16 and bf16, which no kernel writes
 */
export function empty(backend: Backend, shape: Shape, dtype: DType): Tensor {
  if (isHalf(dtype) || !backend.dtypes.includes(dtype)) {
    throw lacking(
      backend,
      backend.dtypes.filter((each) => !isHalf(each)),
      dtype,
    )
  }
  return allocate(backend, shape, dtype)
}

/** New tensor with undefined contents, for values of the host. */
export function emptyForUpload(backend: Backend, shape: Shape, dtype: DType): Tensor {
  if (!backend.dtypes.includes(dtype)) throw lacking(backend, backend.dtypes, dtype)
  return allocate(backend, shape, dtype)
}

function lacking({ name }: Backend, dtypes: readonly DType[], asked: DType): TypeError {
  return new TypeError(`${name}: this backend has ${dtypes.join(', ')} (asked for ${asked})`)
}

function allocate(backend: Backend, shape: Shape, dtype: DType): Tensor {
  const byteLength = sizeOf(shape) * bytesPerElement(dtype)
  if (byteLength > backend.maxBufferBytes) {
    throw new RangeError(
      `${backend.name}: a buffer holds at most ${backend.maxBufferBytes} bytes (shape ${formatShape(shape)} needs ${byteLength}); compute fewer examples at a time, or use another backend`,
    )
  }
  const storage: Storage = { backend, buffer: backend.allocate(byteLength), byteLength, owners: 0 }
  return new Tensor(storage, 0, [...shape], dtype)
}

/**
 * Values of a float tensor as float32, whatever its engine computes in.
 *
 * @throws TypeError unless `x` is f32 or f64
 */
export async function toFloat32Array(x: Tensor): Promise<Float32Array> {
  const data = await x.data()
  if (data instanceof Float32Array) return data
  if (data instanceof Float64Array) return Float32Array.from(data)
  throw new TypeError(`toFloat32Array: x must be f32 or f64 (got ${x.dtype})`)
}

/**
 * The backend all tensors live on.
 *
 * @throws TypeError naming both, when there are two, or for anything that is no tensor
 */
export function commonBackend(caller: string, tensors: readonly Tensor[]): Backend {
  const stranger = tensors.findIndex((tensor) => !(tensor instanceof Tensor))
  if (stranger >= 0) {
    throw new TypeError(
      `${caller}: operand ${stranger + 1} must be a Tensor (got ${describeValue(tensors[stranger])}); one of another copy of @dit/tensor is not`,
    )
  }
  const { backend } = tensors[0]
  for (const tensor of tensors) {
    if (tensor.backend !== backend) {
      throw new TypeError(
        `${caller}: tensors must live on one backend (got ${backend.name} and ${tensor.backend.name}); move one with toBackend`,
      )
    }
  }
  return backend
}
