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

/** Compiled kernels with their memory. An address is a number of bytes, 0 is none. */
export interface Engine {
  readonly name: string
  readonly description: CpuDescription
  readonly maxBufferBytes: number
  /** @throws RangeError when there is not enough memory */
  readonly allocate: (byteLength: number) => number
  readonly free: (address: number, byteLength: number) => void
  readonly write: (address: number, data: Float32Array | Int32Array) => void
  readonly read: (address: number, into: Float32Array | Int32Array) => void
  /**
   * Runs a kernel of csrc/kernels.h.
   *
   * @throws Error when a thread was lost
   */
  readonly call: (kernel: string, ...parameters: readonly number[]) => void
  readonly dispose: () => void | Promise<void>
}
