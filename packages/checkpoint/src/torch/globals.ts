import type { StoredDType } from '../dtype.js'
import { TORCH_DTYPES } from './dtypes.js'
import type { Fail } from './error.js'
import { NumpyDType, numpyScalar } from './numpy-scalar.js'
import { isPlaceholder, PlaceholderClass, TorchPlaceholder } from './placeholder.js'
import { rebuildTensor } from './rebuild.js'
import { TorchTensor } from './value.js'

/** Something that a pickle names. It can be called only where it has `make`, and it is never a value of its own. */
export interface PickleGlobal {
  readonly name: string
  readonly make?: (args: readonly unknown[], fail: Fail) => unknown
  /** Where that puts its first argument into a hash table: of keys, or of members. */
  readonly makes?: 'dict' | 'set'
}

/** A name that stands for a value, such as `torch.float16`. */
export interface PickleConstant {
  readonly value: string
}

/** Storage classes and the dtypes of their elements. */
const STORAGES: Readonly<Record<string, StoredDType>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
}

/** Storages of elements that no typed array holds: their tensors are placeholders. */
const FOREIGN_STORAGES: Readonly<Record<string, number>> = {
  ComplexDoubleStorage: 16,
  ComplexFloatStorage: 8,
  ComplexHalfStorage: 4,
  QInt32Storage: 4,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QUInt4x2Storage: 1,
  QUInt2x4Storage: 1,
}

/** What makes tensors of kinds that are not read: placeholders in their place. */
const FOREIGN_TENSORS = [
  '_rebuild_qtensor',
  '_rebuild_sparse_tensor',
  '_rebuild_sparse_csr_tensor',
  '_rebuild_nested_tensor',
  '_rebuild_meta_tensor_no_storage',
]

/** How a quantized tensor says what its numbers mean. */
const QUANTIZATIONS = [
  'per_tensor_affine',
  'per_channel_affine',
  'per_channel_affine_float_qparams',
  'per_tensor_symmetric',
  'per_channel_symmetric',
]

/** The elements of a storage class: a dtype, null for untyped bytes, or the bytes of an element that is not read. */
export type StorageType = StoredDType | number | null

/** The storage class that a global is; undefined where it is none. */
export function storageType(value: unknown): StorageType | undefined {
  return storageTypes.get(value)
}

const storageTypes = new Map<unknown, StorageType>()
const globals = new Map<string, PickleGlobal | PickleConstant | PlaceholderClass>()

/**
 * What `module.name` stands for.
 *
 * @throws TorchError naming it where it is not on the list: only containers, numbers, strings and tensors are built from a file
 */
export function findGlobal(module: string, name: string, fail: Fail): PickleGlobal | PickleConstant | PlaceholderClass {
  fillOnce()
  const found = globals.get(`${module}.${name}`)
  if (found !== undefined) return found
  if (isPlaceholder(module, name)) return new PlaceholderClass(`${module}.${name}`)
  throw fail(`asks for ${JSON.stringify(`${module}.${name}`)}, ${reasonFor(module)}`)
}

/** What a defaultdict calls where a key is missing: names that are never called here. `long` is int under protocol 2. */
const FACTORIES = ['dict', 'list', 'int', 'long', 'float', 'str', 'unicode', 'bool', 'tuple']

/** Why a name is not on the list, for the kinds that people meet. */
function reasonFor(module: string): string {
  if (module.startsWith('torch.nn.modules.')) return 'which is a whole module; save its state_dict() instead'
  return 'and nothing but containers, numbers, strings and tensors is built from a file'
}

function fillOnce(): void {
  if (globals.size > 0) return
  const add = (name: string, make?: PickleGlobal['make'], makes?: PickleGlobal['makes']) => {
    const item = { name, ...(make === undefined ? {} : { make }), ...(makes === undefined ? {} : { makes }) }
    globals.set(name, item)
    return item
  }
  for (const [name, dtype] of Object.entries(STORAGES)) storageTypes.set(add(`torch.${name}`), dtype)
  for (const [name, bytes] of Object.entries(FOREIGN_STORAGES)) storageTypes.set(add(`torch.${name}`), bytes)
  for (const module of ['torch', 'torch.storage']) storageTypes.set(add(`${module}.UntypedStorage`), null)
  for (const name of Object.keys(TORCH_DTYPES)) globals.set(`torch.${name}`, { value: `torch.${name}` })

  add('torch._utils._rebuild_tensor', rebuildTensor)
  add('torch._utils._rebuild_tensor_v2', rebuildTensor)
  add('torch._utils._rebuild_tensor_v3', rebuildTensor)
  add('torch._utils._rebuild_parameter', theTensor)
  add('torch._utils._rebuild_parameter_with_state', theTensor)
  for (const name of FOREIGN_TENSORS) globals.set(`torch._utils.${name}`, new PlaceholderClass(`torch._utils.${name}`))
  for (const name of QUANTIZATIONS) globals.set(`torch.${name}`, { value: `torch.${name}` })
  add('torch._tensor._rebuild_from_type_v2', rebuildFromType)
  add('torch.nn.parameter.Parameter', theTensor)
  add('torch.Tensor')
  add('torch.Size', ([sizes = []], fail) => listOf(sizes, 'torch.Size', fail))
  add('torch.device', ([type, index], fail) => deviceName(type, index, fail))
  add('torch.serialization._get_layout', ([name], fail) => textOf(name, '_get_layout', fail))

  add('collections.OrderedDict', ([pairs = []], fail) => mapOf(pairs, 'collections.OrderedDict', fail), 'dict')
  add('collections.Counter', ([counts = []], fail) => mapOf(counts, 'collections.Counter', fail), 'dict')
  add('collections.defaultdict', () => new Map())
  add('argparse.Namespace', () => new Namespace())
  for (const module of ['builtins', '__builtin__']) {
    add(`${module}.set`, ([items = []], fail) => new Set(listOf(items, 'set', fail)), 'set')
    add(`${module}.frozenset`, ([items = []], fail) => new Set(listOf(items, 'frozenset', fail)), 'set')
    // Default factories of a defaultdict, never called.
    for (const name of FACTORIES) add(`${module}.${name}`)
    add(`${module}.bytes`, (args, fail) => {
      if (args.length > 0) throw fail('bytes must be made from nothing')
      return new Uint8Array()
    })
    // How an enum of Python 3.11 names its member.
    add(`${module}.getattr`, ([target, name], fail) => {
      // A class within a class, or a member of an enum: either way plain data.
      if (target instanceof PlaceholderClass && typeof name === 'string') return target
      throw fail(`asks for "${module}.getattr", ${reasonFor(module)}`)
    })
  }
  // How protocol 2 writes bytes.
  add('_codecs.encode', ([text, encoding], fail) => encodeLatin1(text, encoding, fail))
  add('numpy.dtype', (args) => new NumpyDType(args))
  for (const core of ['core', '_core']) add(`numpy.${core}.multiarray.scalar`, numpyScalar)
}

/** An argparse.Namespace while it is being built; its attributes are its keys. */
export class Namespace extends Map<string, unknown> {}

/** A Parameter is its tensor; what else it carries (gradient flags, hooks, attributes) is left behind. */
function theTensor([tensor]: readonly unknown[], fail: Fail): TorchTensor | TorchPlaceholder {
  if (tensor instanceof TorchPlaceholder) return tensor
  if (!(tensor instanceof TorchTensor)) throw fail('a Parameter must hold a tensor')
  return tensor
}

/** A tensor with attributes: a function that rebuilds it, its class and that function's arguments. */
function rebuildFromType([rebuild, type, args]: readonly unknown[], fail: Fail): unknown {
  const names = ['torch.Tensor', 'torch.nn.parameter.Parameter']
  const { make, name = '' } = (rebuild ?? {}) as Partial<PickleGlobal>
  const isTensor = names.includes((type as PickleGlobal | null)?.name ?? '') && name.startsWith('torch._utils._rebuild')
  if (!isTensor || make === undefined) throw fail('_rebuild_from_type_v2 must rebuild a plain tensor')
  return make(listOf(args, '_rebuild_from_type_v2', fail), fail)
}

function deviceName(type: unknown, index: unknown, fail: Fail): string {
  if (typeof type !== 'string' || (index !== undefined && typeof index !== 'number')) {
    throw fail('torch.device must be made from a name and a number')
  }
  return index === undefined ? type : `${type}:${index}`
}

function listOf(value: unknown, who: string, fail: Fail): readonly unknown[] {
  if (!Array.isArray(value)) throw fail(`${who} must be made from a list or tuple`)
  return value
}

function textOf(value: unknown, who: string, fail: Fail): string {
  if (typeof value !== 'string') throw fail(`${who} must be given a string`)
  return value
}

function mapOf(source: unknown, who: string, fail: Fail): Map<unknown, unknown> {
  if (source instanceof Map) return new Map(source)
  const map = new Map<unknown, unknown>()
  for (const pair of listOf(source, who, fail)) {
    if (!Array.isArray(pair) || pair.length !== 2) throw fail(`${who} must be made from pairs`)
    map.set(pair[0], pair[1])
  }
  return map
}

function encodeLatin1(text: unknown, encoding: unknown, fail: Fail): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1')
    throw fail('_codecs.encode must be given a string and "latin1"')
  return Uint8Array.from(text, (letter) => {
    const code = letter.codePointAt(0)!
    if (code > 255) throw fail(`_codecs.encode: ${JSON.stringify(letter)} must be in latin1`)
    return code
  })
}
