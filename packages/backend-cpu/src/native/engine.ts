import type { Engine } from '../engine.js'
import { createHeap } from '../heap.js'
import { memoryBytes } from '../platform.js'
import { nativeExtension } from './extension.js'
import type { Addon, Products } from './addon.js'
import { NATIVE_INSTRUCTION_SETS, type NativeInstructionSet } from './instruction-sets.js'

/** Seconds without progress after which a thread counts as lost. */
const PATIENCE = 30

/** Memory is taken from the system in steps of this many bytes. */
const STEP_BYTES = 2 ** 25

/** Fewer bytes of addresses than these are not worth a start. */
const LEAST_BYTES = 2 ** 27

/** What is left to JavaScript and the threads where addresses are limited: a quarter. */
const SHARE = 0.75

const LANES: Readonly<Record<NativeInstructionSet, number>> = { avx512: 16, avx2: 8, sse2: 4, neon: 4 }

/** What a native engine is made with. */
export interface NativeOptions {
  /** By default the fastest. */
  readonly set?: NativeInstructionSet | undefined
  readonly precision?: 'f32' | 'bf16'
  /** How bf16 products multiply. */
  readonly multiply?: 'auto' | 'pairs' | 'widened'
}

/**
 * Kernels in machine code. Addresses for as many bytes as the machine has memory are reserved at once and become memory as
 * they are needed, so that the heap is one range. Where addresses are limited (`ulimit -v`), fewer are.
 *
 * @throws RangeError when the processor lacks the instruction set or a way of products, or the system refuses the addresses
 */
export function nativeEngine(
  addon: Addon,
  threads: number,
  { set = bestSet(addon), precision = 'f32', multiply = 'auto' }: NativeOptions = {},
): Engine {
  const name = precision === 'bf16' ? 'cpu-native-bf16' : 'cpu-native'
  if (!addon.supports(set, 'f32')) throw new RangeError(`cpu: this processor does not have the instruction set ${set}`)
  const products = precision === 'f32' ? 'f32' : chosenProducts(addon, set, multiply)
  const wanted = inSteps(memoryBytes())
  const create = (bytes: number) => addon.create(set, products, threads, PATIENCE, bytes)
  const { native, reserved } = reserve(wanted, create, (made) => addon.destroy(made))
  if (native === null) {
    throw new RangeError(
      `${name}: the system refused ${LEAST_BYTES / 2 ** 20} MiB of addresses; \`ulimit -v\` may be too low`,
    )
  }
  if (addon.threads(native) < threads) {
    const started = addon.threads(native)
    addon.destroy(native)
    throw new RangeError(`${name}: the system allowed ${started} threads (asked for ${threads})`)
  }
  const start = addon.base(native)
  let end = start
  const heap = createHeap(start, end, (byteLength) => {
    const to = end + Math.ceil(byteLength / STEP_BYTES) * STEP_BYTES
    if (to > start + reserved || !addon.commit(native, end, to)) return null
    return (end = to)
  })
  const kernels = new Map(addon.kernels.map((kernel, i) => [kernel, i]))
  let usedBytes = 0
  let failure: Error | null = null
  /** After `dispose` the addresses lead nowhere. */
  const checkAlive = () => {
    if (failure !== null) throw failure
  }
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  const engine: Engine = {
    name,
    description: {
      engine: 'native',
      simd: LANES[set],
      threads,
      instructionSet: set,
      precision,
      multiply: products === 'f32' ? null : products,
    },
    maxBufferBytes: 2 ** 32,
    allocate(byteLength) {
      checkAlive()
      const address = heap.allocate(byteLength)
      if (address === null) {
        throw new RangeError(
          `${name}: ${reserved === wanted ? 'the machine has' : 'of what the system lets a process have (`ulimit -v`), tensors get'} ${mebibytes(reserved)} MiB; asked for ${mebibytes(byteLength)} MiB with ` +
            `${mebibytes(usedBytes)} MiB in use; make the batch smaller, or recompute instead of store`,
        )
      }
      usedBytes += byteLength
      return address
    },
    free(address, byteLength) {
      heap.free(address, byteLength)
      usedBytes -= byteLength
    },
    write(address, data) {
      checkAlive()
      addon.write(address, data)
    },
    read(address, into) {
      checkAlive()
      addon.read(address, into)
    },
    call(kernel, ...values) {
      checkAlive()
      if (addon.run(native, kernels.get(kernel)!, ...values) !== 0) {
        failure = new Error(`${name}: a thread did not answer within ${PATIENCE} seconds; make a new backend`)
        throw failure
      }
    },
    dispose() {
      if (failure?.message.endsWith('disposed of')) return
      failure = new Error(`${name}: the backend was disposed of`)
      addon.destroy(native)
    },
    // Products in bf16 would round the digits of f16.
    extend: (memory) => nativeExtension(engine, memory, precision === 'bf16' ? ['bf16'] : ['f16', 'bf16']),
  }
  return engine
}

function inSteps(bytes: number): number {
  return Math.floor(bytes / STEP_BYTES) * STEP_BYTES
}

/** What `create` makes with the addresses it wants, or with most of those that it can get; null where these are next to none. */
function reserve<T>(
  wanted: number,
  create: (bytes: number) => T | null,
  destroy: (made: T) => void,
): { readonly native: T | null; readonly reserved: number } {
  for (let bytes = wanted; bytes >= LEAST_BYTES; bytes = inSteps(bytes / 2)) {
    const native = create(bytes)
    if (native === null) continue
    if (bytes === wanted) return { native, reserved: bytes }
    // It may have taken all that there was.
    destroy(native)
    const reserved = inSteps(bytes * SHARE)
    return { native: create(reserved), reserved }
  }
  return { native: null, reserved: 0 }
}

function bestSet(addon: Addon): NativeInstructionSet {
  return NATIVE_INSTRUCTION_SETS.find((set) => addon.supports(set, 'f32'))!
}

/** The way of bf16 products that is asked for, or the fastest. */
function chosenProducts(addon: Addon, set: NativeInstructionSet, multiply: 'auto' | 'pairs' | 'widened'): Products {
  if (!addon.supports(set, 'widened')) throw new RangeError(`cpu: precision bf16 is not in the kernels of ${set} yet`)
  const fastest = addon.supports(set, 'pairs') && addon.prefersPairs() ? 'pairs' : 'widened'
  const way = multiply === 'auto' ? fastest : multiply
  if (!addon.supports(set, way)) {
    const where = set === 'avx512' ? 'this processor has no AVX512-BF16' : `the instruction set is ${set}`
    throw new RangeError(`cpu: multiply 'pairs' needs AVX512-BF16, but ${where}; 'widened' gives the same bits`)
  }
  return way
}
