import type { Fail } from './error.js'
import { findGlobal, Namespace, type PickleGlobal } from './globals.js'
import { NumpyDType } from './numpy-scalar.js'
import { Op } from './opcodes.js'
import { PickleBytes } from './pickle-bytes.js'
import { PlaceholderClass, TorchPlaceholder } from './placeholder.js'
import { TorchTensor } from './value.js'

/** What a pickle may build, in proportion to its length: a byte can make an object of two hundred. */
const FREE_OBJECTS = 2 ** 18
const BYTES_PER_OBJECT = 4
const MAX_OBJECTS = 2 ** 22

/** Numbers that may be keys of dicts or members of sets: chosen ones can collide in a hash table, as strings cannot. */
const MAX_NUMBER_KEYS = 2 ** 16

export interface PickleOptions {
  /** Where the pickle begins. */
  readonly at?: number
  /** What a persistent id stands for: in torch's files, a storage. */
  readonly persistent?: (id: unknown) => unknown
  readonly fail: Fail
}

/** What a pickle built. */
export interface Pickled {
  /** As yet unchecked: see `checkValue`. */
  readonly value: unknown
  /** Where the next bytes begin. */
  readonly end: number
  /** Names of classes whose objects are placeholders. */
  readonly placeholders: ReadonlySet<string>
}

/**
 * Runs one pickle of protocol 2 to 5. Only what `findGlobal` lists is built, and nothing of the host is ever called.
 *
 * @returns what it builds, as yet unchecked (see `checkValue`), and where the next bytes begin
 * @throws TorchError on anything that is not allowed, with the name of what was asked for
 * @throws CutShort when the bytes end before the pickle does
 */
export function runPickle(bytes: Uint8Array, options: PickleOptions): Pickled {
  return new Machine(bytes, options).run()
}

class Machine {
  private readonly input: PickleBytes
  private readonly fail: Fail
  private readonly persistent: PickleOptions['persistent']
  private readonly stack: unknown[] = []
  /** Heights of the stack at its open marks. */
  private readonly marks: number[] = []
  private readonly memo: unknown[] = []
  private objects: number
  private numberKeys = MAX_NUMBER_KEYS
  private readonly placeholders = new Set<string>()

  constructor(bytes: Uint8Array, { at = 0, persistent, fail }: PickleOptions) {
    this.input = new PickleBytes(bytes, at, fail)
    this.fail = fail
    this.persistent = persistent
    this.objects = Math.min(FREE_OBJECTS + bytes.length / BYTES_PER_OBJECT, MAX_OBJECTS)
  }

  run(): Pickled {
    const { input } = this
    const first = input.uint8()
    const protocol = first === Op.PROTO ? input.uint8() : undefined
    if (protocol === undefined || protocol < 2 || protocol > 5) {
      throw this.fail(`a pickle must be of protocol 2 to 5 (${protocol ?? `it begins with byte ${first}`})`)
    }
    for (;;) {
      const op = input.uint8()
      if (op === Op.STOP) break
      if (!this.push(op) && !this.change(op)) {
        throw this.fail(`a pickle must hold known opcodes (${opName(op)} at byte ${input.at - 1})`)
      }
    }
    const value = this.pop()
    if (this.stack.length > 0 || this.marks.length > 0) throw this.fail('a pickle must end with one value on its stack')
    return { value, end: input.at, placeholders: this.placeholders }
  }

  /** Opcodes that only put something on the stack. */
  private push(op: number): boolean {
    const { input, stack } = this
    switch (op) {
      case Op.NONE:
        return stack.push(null) > 0
      case Op.NEWTRUE:
        return stack.push(true) > 0
      case Op.NEWFALSE:
        return stack.push(false) > 0
      case Op.BININT:
        return stack.push(input.int32()) > 0
      case Op.BININT1:
        return stack.push(input.uint8()) > 0
      case Op.BININT2:
        return stack.push(input.uint16()) > 0
      case Op.LONG1:
        return stack.push(input.integer(input.uint8())) > 0
      case Op.LONG4:
        return stack.push(input.integer(input.uint32())) > 0
      case Op.BINFLOAT:
        return stack.push(input.float64()) > 0
      case Op.SHORT_BINSTRING:
      case Op.SHORT_BINUNICODE:
        return stack.push(input.text(input.uint8())) > 0
      case Op.BINSTRING:
      case Op.BINUNICODE:
        return stack.push(input.text(input.uint32())) > 0
      case Op.BINUNICODE8:
        return stack.push(input.text(input.uint64())) > 0
      case Op.SHORT_BINBYTES:
        return stack.push(this.made(input.slice(input.uint8()))) > 0
      case Op.BINBYTES:
        return stack.push(this.made(input.slice(input.uint32()))) > 0
      case Op.BINBYTES8:
      case Op.BYTEARRAY8:
        return stack.push(this.made(input.slice(input.uint64()))) > 0
      case Op.EMPTY_DICT:
        return stack.push(this.made(new Map())) > 0
      case Op.EMPTY_LIST:
        return stack.push(this.made([])) > 0
      case Op.EMPTY_TUPLE:
        return stack.push(noItems) > 0
      case Op.EMPTY_SET:
        return stack.push(this.made(new Set())) > 0
      case Op.GLOBAL:
        return this.pushGlobal(input.line(), input.line())
      case Op.BINGET:
        return this.recall(input.uint8())
      case Op.LONG_BINGET:
        return this.recall(input.uint32())
      default:
        return false
    }
  }

  /** Opcodes that work on what is on the stack. */
  private change(op: number): boolean {
    const { input, stack, marks } = this
    switch (op) {
      case Op.MARK:
        return marks.push(stack.length) > 0
      case Op.POP:
        return (this.pop(), true)
      case Op.POP_MARK:
        return (this.popMark(), true)
      case Op.DUP:
        return stack.push(this.top()) > 0
      case Op.FRAME:
        return (input.uint64(), true)
      case Op.BINPUT:
        return this.remember(input.uint8())
      case Op.LONG_BINPUT:
        return this.remember(input.uint32())
      case Op.MEMOIZE:
        return this.remember(this.memo.length)
      case Op.TUPLE1:
      case Op.TUPLE2:
      case Op.TUPLE3:
        return this.pushTuple(this.popMany(op - Op.TUPLE1 + 1))
      case Op.TUPLE:
        return this.pushTuple(this.popMark())
      case Op.LIST:
        return stack.push(this.made(this.popMark())) > 0
      case Op.DICT:
        return stack.push(this.made(this.setItems(new Map(), this.popMark()))) > 0
      case Op.FROZENSET:
        return stack.push(this.made(new Set(this.members(this.popMark())))) > 0
      case Op.APPEND:
        return this.append(this.popMany(1))
      case Op.APPENDS:
        return this.append(this.popMark())
      case Op.SETITEM:
      case Op.SETITEMS: {
        const items = op === Op.SETITEM ? this.popMany(2) : this.popMark()
        return this.setItems(this.top(), items) !== undefined
      }
      case Op.ADDITEMS:
        return this.addItems(this.popMark())
      case Op.STACK_GLOBAL: {
        const [module, name] = this.popMany(2)
        if (typeof module !== 'string' || typeof name !== 'string')
          throw this.fail('STACK_GLOBAL must be given two strings')
        return this.pushGlobal(module, name)
      }
      case Op.REDUCE:
      case Op.NEWOBJ: {
        const [callable, args] = this.popMany(2)
        return this.call(callable, args)
      }
      case Op.NEWOBJ_EX: {
        const [callable, args, named] = this.popMany(3)
        const isPlain = callable instanceof TorchPlaceholder || (named instanceof Map && named.size === 0)
        if (!isPlain) throw this.fail('NEWOBJ_EX must have no named arguments')
        return this.call(callable, args)
      }
      case Op.BUILD:
        return this.build(this.pop())
      case Op.BINPERSID:
        if (this.persistent === undefined) throw this.fail('a persistent id must stand in the pickle of the object')
        return this.pushPersistent(this.persistent(this.pop()))
      default:
        return false
    }
  }

  private pushGlobal(module: string, name: string): boolean {
    const found = findGlobal(module, name, this.fail)
    if (found instanceof TorchPlaceholder) this.placeholders.add(found.name)
    return this.stack.push('value' in found ? found.value : found) > 0
  }

  private pushPersistent(found: unknown): boolean {
    if (found instanceof TorchPlaceholder) this.placeholders.add(found.name)
    return this.stack.push(this.made(found)) > 0
  }

  private call(callable: unknown, args: unknown): boolean {
    if (!Array.isArray(args)) throw this.fail('what is called must be given a tuple')
    if (callable instanceof PlaceholderClass) return this.stack.push(this.made(callable.make())) > 0
    const { name, make, makes } = (callable ?? {}) as Partial<PickleGlobal>
    if (make === undefined) throw this.fail(`must not call ${name ?? 'what is no function'}`)
    // What it makes may be as long as what it is given, which can be given again and again.
    for (const arg of args) this.spend(lengthOf(arg))
    const given = makes === undefined ? (args as readonly unknown[]) : this.hashable(args as readonly unknown[], makes)
    return this.stack.push(this.made(make(given, this.fail))) > 0
  }

  /** Arguments whose first goes into a hash table, with the keys or members in it bounded; those of a dict already are. */
  private hashable([source, ...rest]: readonly unknown[], makes: 'dict' | 'set'): readonly unknown[] {
    if (!Array.isArray(source)) return source === undefined ? rest : [source, ...rest]
    const items = source as readonly unknown[]
    if (makes === 'set') return [this.members(items), ...rest]
    const pairs = items.map((pair) => (isPair(pair) ? [this.key(pair[0]), pair[1]] : pair))
    return [pairs, ...rest]
  }

  /** Attributes are kept for a Namespace alone: those of an OrderedDict or a tensor say nothing about the values. */
  private build(state: unknown): boolean {
    const target = this.top()
    if (target instanceof NumpyDType) target.setState(state)
    else if (target instanceof Namespace && state instanceof Map) {
      this.spend(state.size)
      for (const [key, value] of state) target.set(String(this.key(key)), value)
    } else if (!(target instanceof Map || target instanceof TorchTensor || target instanceof TorchPlaceholder)) {
      throw this.fail('BUILD must be for a Namespace, a dict or a tensor')
    }
    return true
  }

  private append(items: readonly unknown[]): boolean {
    const list = this.top()
    if (list instanceof TorchPlaceholder) return true
    if (!Array.isArray(list) || list === noItems) throw this.fail('APPEND must be to a list')
    for (const item of items) list.push(item)
    return true
  }

  private setItems(map: unknown, items: readonly unknown[]): unknown {
    if (map instanceof TorchPlaceholder) return map
    if (!(map instanceof Map) || items.length % 2 !== 0) throw this.fail('SETITEM must be for a dict, and in pairs')
    for (let i = 0; i < items.length; i += 2) {
      // A key that is no text, number or truth value, such as a tuple or a member of an enum, names nothing here.
      if (isKey(items[i])) map.set(this.key(items[i]), items[i + 1])
    }
    return map
  }

  private addItems(items: readonly unknown[]): boolean {
    const set = this.top()
    if (set instanceof TorchPlaceholder) return true
    if (!(set instanceof Set)) throw this.fail('ADDITEMS must be to a set')
    for (const item of this.members(items)) set.add(item)
    return true
  }

  private key(key: unknown): unknown {
    if (key === null || typeof key === 'object') {
      throw this.fail('the key of a dict must be a string, a number or a boolean')
    }
    return this.members([key])[0]
  }

  /** Keys or members, numbers beyond `MAX_NUMBER_KEYS` as text. */
  private members(items: readonly unknown[]): readonly unknown[] {
    return items.map((item) => {
      if (typeof item !== 'number' && typeof item !== 'bigint') return item
      return this.numberKeys-- > 0 ? item : String(item)
    })
  }

  private recall(index: number): boolean {
    if (index >= this.memo.length) throw this.fail(`a pickle must not recall what it has not remembered (${index})`)
    return this.stack.push(this.memo[index]) > 0
  }

  private remember(index: number): boolean {
    // Every pickler counts up; an index of its choice could make a huge array.
    if (index > this.memo.length)
      throw this.fail(`a pickle must number what it remembers (${index} after ${this.memo.length})`)
    this.memo[index] = this.top()
    return true
  }

  private pushTuple(items: unknown[]): boolean {
    return this.stack.push(this.made(items)) > 0
  }

  private top(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw this.fail('a pickle must not take from an empty stack')
    return this.stack[this.stack.length - 1]
  }

  private pop(): unknown {
    this.top()
    return this.stack.pop()
  }

  private popMany(count: number): unknown[] {
    if (this.stack.length - count < (this.marks.at(-1) ?? 0))
      throw this.fail('a pickle must not take from an empty stack')
    return this.stack.splice(this.stack.length - count)
  }

  private popMark(): unknown[] {
    const mark = this.marks.pop()
    if (mark === undefined) throw this.fail('a pickle must set the marks that it goes back to')
    return this.stack.splice(mark)
  }

  private made<T>(value: T): T {
    this.spend(1)
    return value
  }

  private spend(count: number): void {
    this.objects -= count
    if (this.objects < 0) throw this.fail('a pickle must not build more objects than its length suggests')
  }
}

/** The one empty tuple. */
const noItems: readonly unknown[] = Object.freeze([])

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return value instanceof Map || value instanceof Set ? value.size : 0
}

function isKey(value: unknown): boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
}

function isPair(value: unknown): value is readonly [key: unknown, value: unknown] {
  return Array.isArray(value) && value.length === 2
}

function opName(op: number): string {
  const name = Object.entries(Op).find(([, code]) => code === op)?.[0]
  return name ?? `0x${op.toString(16)}`
}
