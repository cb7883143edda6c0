import type { Engine } from './engine.js'
import { NATIVE_INSTRUCTION_SETS, type NativeInstructionSet } from './native/instruction-sets.js'
import { builtin, processorCount, threadsObstacle } from './platform.js'
import { wasmEngine } from './wasm/engine.js'
import { WASM_INSTRUCTION_SETS, type WasmInstructionSet } from './wasm/instruction-set.js'

/** `relaxed-simd` and `simd128` are of the wasm engine, the others of the native one. */
export type InstructionSet = NativeInstructionSet | WasmInstructionSet

export interface CpuOptions {
  /**
   * `native`: an addon of Node, where there is a build for the platform. `wasm`: WebAssembly with SIMD, anywhere. By default
   * the first of them that is there; `describeCpu` tells which.
   */
  readonly engine?: 'native' | 'wasm'
  /** How many threads share the work, the calling one included; `auto` takes one for each processor where it can. */
  readonly threads?: number | 'auto'
  /** Of the chosen engine, or choosing the engine that has it; by default the fastest that is there. */
  readonly instructionSet?: InstructionSet
  /**
   * `f32`, or `bf16`: linear layers and attention, forward and backward, round the operands of their products to bf16 and sum in
   * f32. Weights, gradients, norms, statistics of the softmax and the optimizer stay f32. Of the native engine on x86.
   */
  readonly precision?: 'f32' | 'bf16'
  /**
   * Of `bf16`: how products multiply, with the same bits. `pairs` takes the instruction of AVX512-BF16, `widened` float32
   * multiply-adds of rounded values, which are no faster than `f32`. `auto` takes what is faster on the processor.
   */
  readonly multiply?: 'auto' | 'pairs' | 'widened'
}

// Beyond this the products of a small transformer have too few parts.
const MAX_AUTO_THREADS = 8
// That of csrc/context.h.
const MAX_THREADS = 64

const CHOICES = {
  engine: ['native', 'wasm'],
  precision: ['f32', 'bf16'],
  multiply: ['auto', 'pairs', 'widened'],
} as const

/** The engine that options ask for. Its errors are those of `cpu`. */
export async function chooseEngine(options: CpuOptions): Promise<Engine> {
  const { engine, threads = 'auto', instructionSet, precision = 'f32', multiply = 'auto' } = options
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = options[name as keyof typeof CHOICES]
    if (value === undefined || isOneOf(choices, value)) continue
    throw new TypeError(`cpu: ${name} must be '${choices.join(`' or '`)}' (got ${JSON.stringify(value)})`)
  }
  if (precision === 'f32' && multiply !== 'auto') throw new RangeError(`cpu: multiply needs precision 'bf16'`)
  const count = chosenThreads(threads)
  const wasm = (set?: (typeof WASM_INSTRUCTION_SETS)[number]) => {
    if (precision === 'bf16') throw new RangeError(`cpu: precision 'bf16' needs the native engine`)
    return wasmEngine(count, set)
  }
  if (isOneOf(WASM_INSTRUCTION_SETS, instructionSet)) {
    if (engine === 'native') throw foreignSet('native', instructionSet, NATIVE_INSTRUCTION_SETS)
    return wasm(instructionSet)
  }
  if (engine === 'wasm') {
    if (instructionSet !== undefined) throw foreignSet('wasm', instructionSet, WASM_INSTRUCTION_SETS)
    return wasm()
  }
  if (instructionSet !== undefined && !isOneOf(NATIVE_INSTRUCTION_SETS, instructionSet)) {
    throw foreignSet('native', instructionSet, NATIVE_INSTRUCTION_SETS)
  }
  // Pages download nothing of the native engine.
  const addon =
    builtin('node:module') === undefined ? 'a page has no addons' : (await import('./native/addon.js')).loadAddon()
  if (typeof addon !== 'string') {
    const { nativeEngine } = await import('./native/engine.js')
    return nativeEngine(addon, count, { set: instructionSet, precision, multiply })
  }
  if (engine === 'native' || instructionSet !== undefined || precision === 'bf16') {
    throw new Error(`cpu: the native engine is not here: ${addon}; engine: 'wasm' runs anywhere`)
  }
  return wasm()
}

function isOneOf<Name extends string>(names: readonly Name[], name: string | undefined): name is Name {
  return (names as readonly (string | undefined)[]).includes(name)
}

function foreignSet(engine: string, set: string, sets: readonly string[]): RangeError {
  return new RangeError(`cpu: instructionSet of the ${engine} engine must be one of ${sets.join(', ')} (got ${set})`)
}

function chosenThreads(threads: number | 'auto'): number {
  const obstacle = threadsObstacle()
  if (threads === 'auto') return obstacle === null ? Math.min(processorCount(), MAX_AUTO_THREADS) : 1
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new RangeError(`cpu: threads must be 'auto' or an integer from 1 to ${MAX_THREADS} (got ${threads})`)
  }
  if (threads > 1 && obstacle !== null)
    throw new RangeError(`cpu: threads must be 1 here (got ${threads}): ${obstacle}`)
  return threads
}
