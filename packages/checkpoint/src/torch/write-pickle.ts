import { arrayBytes, type StoredDType, type StoredSpec } from '../dtype.js'

/** Classes of storages. Dtypes without one are stored as bytes, and their tensors name the dtype. */
const STORAGES: Readonly<Partial<Record<StoredDType, string>>> = {
  F64: 'DoubleStorage',
  F32: 'FloatStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
  I64: 'LongStorage',
  I32: 'IntStorage',
  I16: 'ShortStorage',
  I8: 'CharStorage',
  U8: 'ByteStorage',
  BOOL: 'BoolStorage',
}

/** What torch calls the others. */
const UNTYPED: Readonly<Partial<Record<StoredDType, string>>> = {
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  F8_E4M3: 'float8_e4m3fn',
  F8_E5M2: 'float8_e5m2',
}

const EMPTY_DICT = 'ccollections\nOrderedDict\n)R'

/**
 * The pickle of a state dict (protocol 2), an OrderedDict of tensors as `torch.save` writes it: tensor i is the whole of storage i.
 */
export function stateDictPickle(specs: Iterable<readonly [name: string, spec: StoredSpec]>): Uint8Array {
  const parts: (string | Uint8Array)[] = ['\x80\x02', EMPTY_DICT, '(']
  let key = 0
  for (const [name, spec] of specs) parts.push(text(name), ...tensor(spec, String(key++)))
  parts.push('u.')
  return joined(parts)
}

function tensor({ dtype, shape }: StoredSpec, key: string): (string | Uint8Array)[] {
  const typed = STORAGES[dtype]
  const type = typed === undefined ? 'torch.storage\nUntypedStorage' : `torch\n${typed}`
  const count = shape.reduce((product, size) => product * size, 1)
  const units = typed === undefined ? arrayBytes({ dtype, shape })! : count
  const storage = ['(', text('storage'), `c${type}\n`, text(key), text('cpu'), integer(units), 'tQ']
  const view = [integer(0), ...tuple(shape), ...tuple(stridesOf(shape))]
  const requiresGrad = '\x89'
  const named = typed === undefined ? [`ctorch\n${UNTYPED[dtype]!}\n`] : []
  const rebuild = `ctorch._utils\n_rebuild_tensor_v${typed === undefined ? 3 : 2}\n`
  return [rebuild, '(', ...storage, ...view, requiresGrad, EMPTY_DICT, ...named, 'tR']
}

/** In elements, row-major. */
function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1)
  // An empty axis counts as one, so that strides stay above 0, as torch has them.
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * Math.max(1, shape[axis + 1])
  return strides
}

function tuple(items: readonly number[]): (string | Uint8Array)[] {
  return ['(', ...items.map(integer), 't']
}

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value)
  return joined(['X', Uint8Array.from(new Uint8Array(Uint32Array.of(bytes.length).buffer)), bytes])
}

/** BININT up to 31 bits, else LONG1 of eight bytes. */
function integer(value: number): Uint8Array {
  if (value < 2 ** 31) return joined(['J', new Uint8Array(Int32Array.of(value).buffer)])
  return joined(['\x8a\x08', new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)])
}

/** Text stands for one byte a letter. */
function joined(parts: readonly (string | Uint8Array)[]): Uint8Array {
  const all = parts.map((part) => (typeof part === 'string' ? Uint8Array.from(part, (c) => c.codePointAt(0)!) : part))
  const bytes = new Uint8Array(all.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of all) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
