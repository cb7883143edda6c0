import { elementsOf, type StoredDType } from '../dtype.js'
import { quote } from '../quote.js'
import { toFloat32 } from '../tensor-file.js'
import type { Fail } from './error.js'

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

/** A numpy.dtype while the scalar that has it is being built. */
export class NumpyDType {
  readonly dtype: StoredDType

  constructor([name]: readonly unknown[], fail: Fail) {
    const dtype = typeof name === 'string' && Object.hasOwn(DTYPES, name) ? DTYPES[name] : undefined
    if (dtype === undefined)
      throw fail(
        `numpy.dtype must be one of ${Object.keys(DTYPES).join(', ')} (${typeof name === 'string' ? quote(name) : typeof name})`,
      )
    this.dtype = dtype
  }

  /** Its state begins with a version and the byte order. */
  setState(state: unknown, fail: Fail): void {
    const order: unknown = Array.isArray(state) ? state[1] : undefined
    if (order !== '<' && order !== '|') throw fail('numpy.dtype must be little-endian')
  }
}

/** A number that was a numpy scalar, such as a best score: `scalar(dtype, bytes)`. */
export function numpyScalar([type, bytes]: readonly unknown[], fail: Fail): number | bigint | boolean {
  if (!(type instanceof NumpyDType) || !(bytes instanceof Uint8Array)) {
    throw fail('a numpy scalar must be made from a dtype and bytes')
  }
  const length = Number(/\d+$/.exec(nameOf(type.dtype))?.[0])
  if (bytes.length !== length) throw fail(`a numpy ${nameOf(type.dtype)} must have ${length} bytes (${bytes.length})`)
  const array = elementsOf({ dtype: type.dtype, shape: [] }, bytes.slice())
  if (array.dtype === 'BOOL') return array.data[0] !== 0
  if (array.dtype === 'F16') return toFloat32(array)[0]
  const [value] = array.data
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function nameOf(dtype: StoredDType): string {
  return Object.entries(DTYPES).find(([, known]) => known === dtype)![0]
}
