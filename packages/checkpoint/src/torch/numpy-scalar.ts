import { elementsOf, type StoredDType } from '../dtype.js'
import { toFloat32 } from '../tensor-file.js'
import type { Fail } from './error.js'
import { TorchPlaceholder } from './placeholder.js'

const DTYPES: Readonly<Record<string, StoredDType>> = {
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u8: 'U64',
  u4: 'U32',
  u2: 'U16',
  u1: 'U8',
  b1: 'BOOL',
}

/** A numpy.dtype while the scalar that has it is being built; left over it is a placeholder. */
export class NumpyDType extends TorchPlaceholder {
  /** Null where no typed array holds its elements: strings, dates, records. */
  readonly dtype: StoredDType | null
  isBigEndian = false

  constructor([name]: readonly unknown[]) {
    super('numpy.dtype')
    this.dtype = typeof name === 'string' && Object.hasOwn(DTYPES, name) ? DTYPES[name] : null
  }

  /** Its state begins with a version and the byte order. */
  setState(state: unknown): void {
    this.isBigEndian = Array.isArray(state) && state[1] === '>'
  }
}

/** A number that was a numpy scalar, such as a best score: `scalar(dtype, bytes)`. */
export function numpyScalar(
  [type, bytes]: readonly unknown[],
  fail: Fail,
): number | bigint | boolean | TorchPlaceholder {
  if (!(type instanceof NumpyDType) || !(bytes instanceof Uint8Array)) {
    throw fail('a numpy scalar must be made from a dtype and bytes')
  }
  if (type.dtype === null) return new TorchPlaceholder('numpy.generic')
  const length = Number(/\d+$/.exec(nameOf(type.dtype))?.[0])
  if (bytes.length !== length) throw fail(`a numpy ${nameOf(type.dtype)} must have ${length} bytes (${bytes.length})`)
  const ordered = type.isBigEndian ? bytes.toReversed() : bytes.slice()
  const array = elementsOf({ dtype: type.dtype, shape: [] }, ordered)
  if (array.dtype === 'BOOL') return array.data[0] !== 0
  if (array.dtype === 'F16') return toFloat32(array)[0]
  const [value] = array.data
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function nameOf(dtype: StoredDType): string {
  return Object.entries(DTYPES).find(([, known]) => known === dtype)![0]
}
