import type { DType, Kernels, View } from '@dit/tensor'
import type { Memory } from './memory.js'

/** What runs: printed to users, and the same for all kernels of a backend. */
export interface CpuDescription {
  readonly engine: 'wasm' | 'native'
  /** Floats that one instruction works on. */
  readonly simd: number
  /** Threads that share the work, the calling one included. */
  readonly threads: number
  /** `simd128` for WebAssembly. */
  readonly instructionSet: string
  /** What the operands of linear layers and attention are rounded to. */
  readonly precision: 'f32' | 'bf16'
  /** How bf16 products multiply; null for f32. */
  readonly multiply: 'pairs' | 'widened' | null
}

/** What is written to and read from an engine's memory. */
export type EngineData = Float32Array | Int32Array | Uint16Array

/** Compiled kernels with their memory. An address is a number of bytes, 0 is none. */
export interface Engine {
  readonly name: string
  readonly description: CpuDescription
  readonly maxBufferBytes: number
  /** @throws RangeError when there is not enough memory */
  readonly allocate: (byteLength: number) => number
  readonly free: (address: number, byteLength: number) => void
  /** Patterns of half precision only where an extension has them. */
  readonly write: (address: number, data: EngineData) => void
  readonly read: (address: number, into: EngineData) => void
  /**
   * Runs a kernel of csrc/kernels.h.
   *
   * @throws Error when a thread was lost
   */
  readonly call: (kernel: string, ...parameters: readonly number[]) => void
  readonly dispose: () => void | Promise<void>
  /** What it has besides the kernels that all engines have; pages go without, since they download what they have. */
  readonly extend?: (memory: Memory) => Extension
}

/** Kernels and types of tensors that an engine adds. */
export interface Extension {
  readonly kernels: Partial<Kernels>
  readonly dtypes: readonly DType[]
  /** In place of copies. */
  readonly write: (view: View, data: EngineData) => void
  readonly read: (view: View, into: EngineData) => void
}
