import type { Engine } from './engine.js'
import { loadAddon, NATIVE_INSTRUCTION_SETS, type NativeInstructionSet } from './native/addon.js'
import { nativeEngine } from './native/engine.js'
import { processorCount, threadsObstacle } from './platform.js'
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
}

// Beyond this the products of a small transformer have too few parts.
const MAX_AUTO_THREADS = 8
// That of csrc/context.h.
const MAX_THREADS = 64

/** The engine that options ask for. Its errors are those of `cpu`. */
export async function chooseEngine({ engine, threads = 'auto', instructionSet }: CpuOptions): Promise<Engine> {
  if (engine !== undefined && engine !== 'wasm' && engine !== 'native') {
    throw new TypeError(`cpu: engine must be 'native' or 'wasm' (got ${JSON.stringify(engine)})`)
  }
  const count = chosenThreads(threads)
  if (isOneOf(WASM_INSTRUCTION_SETS, instructionSet)) {
    if (engine === 'native') throw foreignSet('native', instructionSet, NATIVE_INSTRUCTION_SETS)
    return wasmEngine(count, instructionSet)
  }
  if (engine === 'wasm') {
    if (instructionSet !== undefined) throw foreignSet('wasm', instructionSet, WASM_INSTRUCTION_SETS)
    return wasmEngine(count)
  }
  if (instructionSet !== undefined && !isOneOf(NATIVE_INSTRUCTION_SETS, instructionSet)) {
    throw foreignSet('native', instructionSet, NATIVE_INSTRUCTION_SETS)
  }
  const addon = loadAddon()
  if (typeof addon !== 'string') return nativeEngine(addon, count, instructionSet)
  if (engine === 'native' || instructionSet !== undefined) {
    throw new Error(`cpu: the native engine is not here: ${addon}; engine: 'wasm' runs anywhere`)
  }
  return wasmEngine(count)
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
