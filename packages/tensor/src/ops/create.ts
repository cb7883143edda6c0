import { normals, type RandomStream, uniforms } from '@dit/random'
import type { Backend } from '../backend.js'
import { currentBackend } from '../current-backend.js'
import { type DType, isFloat, isHalf, type TensorData, typedArray } from '../dtype.js'
import { checkShape, formatShape, type Shape, sizeOf } from '../shape.js'
import { empty, emptyForUpload, type Tensor } from '../tensor.js'

export interface TensorOptions {
  /** Where the tensor lives; the backend of `useBackend` by default. */
  readonly backend?: Backend
  /** The backend's float type by default. */
  readonly dtype?: DType
}

/**
 * Tensor with the given values, row-major.
 *
 * @param data  `Int32Array` gives i32 by default, anything else the backend's float type; f16 and bf16, for weights of `linear`
 *   on engines that have them, are asked for by `dtype` and take a `Uint16Array` of bit patterns
 * @param shape one-dimensional by default
 * @throws RangeError when the number of values is not that of the shape
 * @throws TypeError when the backend does not have the dtype
 */
export function tensor(
  data: ArrayLike<number>,
  shape: Shape = [data.length],
  { backend = currentBackend(), dtype = data instanceof Int32Array ? 'i32' : backend.float }: TensorOptions = {},
): Tensor {
  checkShape('tensor', shape)
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(`tensor: shape ${formatShape(shape)} needs ${sizeOf(shape)} values (got ${data.length})`)
  }
  const values = converted('tensor', data, dtype)
  const out = emptyForUpload(backend, shape, dtype)
  backend.upload(out, values)
  return out
}

/**
 * Copies host values into a tensor in place. `data` has its size; numbers are converted to its dtype. An f16 or bf16 tensor
 * takes raw 16-bit patterns.
 */
export function upload(x: Tensor, data: ArrayLike<number>): void {
  if (data.length !== x.size) {
    throw new RangeError(`upload: shape ${formatShape(x.shape)} needs ${x.size} values (got ${data.length})`)
  }
  x.backend.upload(x, converted('upload', data, x.dtype))
}

/** Every element is `value`. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  checkShape('full', shape)
  const { backend = currentBackend() } = options
  const out = empty(backend, shape, options.dtype ?? backend.float)
  backend.kernels.fill(out, value)
  return out
}

export function zeros(shape: Shape, options?: TensorOptions): Tensor {
  return full(shape, 0, options)
}

export function ones(shape: Shape, options?: TensorOptions): Tensor {
  return full(shape, 1, options)
}

/**
 * Standard normal draws number `start`, `start + 1`, ... of a stream: a pure function of the stream and the index.
 *
 * Box & Muller 1958 over Philox 4x32-10 (Salmon et al. 2011); see `normals` of `@dit/random`.
 */
export function randomNormal(
  shape: Shape,
  stream: RandomStream,
  { start = 0, backend = currentBackend() }: RandomOptions = {},
): Tensor {
  checkShape('randomNormal', shape)
  const { randomNormal: kernel } = backend.kernels
  if (kernel === undefined) return tensor(normals(stream, sizeOf(shape), start), shape, { backend })
  const out = empty(backend, shape, backend.float)
  kernel(stream, start, out)
  return out
}

/** Uniform draws in [0, 1), multiples of 2^-24. */
export function randomUniform(
  shape: Shape,
  stream: RandomStream,
  { start = 0, backend = currentBackend() }: RandomOptions = {},
): Tensor {
  return tensor(uniforms(stream, sizeOf(shape), start), shape, { backend })
}

export interface RandomOptions {
  /** Index of the first draw. */
  readonly start?: number
  readonly backend?: Backend
}

/**
 * A copy of `x` on another backend, of that backend's float type if `x` is a float tensor.
 *
 * @throws TypeError for f16 and bf16, whose values come as bit patterns
 */
export async function toBackend(x: Tensor, backend: Backend): Promise<Tensor> {
  if (isHalf(x.dtype)) throw new TypeError(`toBackend: x must be of floats or i32 (got ${x.dtype})`)
  return tensor(await x.data(), x.shape, { backend, dtype: isFloat(x.dtype) ? backend.float : x.dtype })
}

function converted(caller: string, data: ArrayLike<number>, dtype: DType): TensorData {
  if (data.constructor === typedArray(dtype, 0).constructor) return data as TensorData
  if (isHalf(dtype)) throw new TypeError(`${caller}: ${dtype} takes a Uint16Array of bit patterns`)
  const out = typedArray(dtype, data.length)
  out.set(data)
  return out
}
