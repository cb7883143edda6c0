import { chooseEngine, type CpuOptions } from '../choose-engine.js'
import type { CpuDescription, Engine } from '../engine.js'

/** Engine, threads and instruction set: those of `cpu`. */
export type Float64Options = CpuOptions

/** Sizes of a product: m rows by n rows, of k numbers each. */
interface Size {
  readonly m: number
  readonly n: number
  readonly k: number
}

/** Products of matrices for `@dit/metrics`, on threads. All are row-major; inputs and outputs stay the caller's. */
export interface Float64Products {
  /** What runs. */
  readonly description: CpuDescription
  /** c [m, n] += a [m, k] b [n, k]^T */
  gemm(a: Float64Array, b: Float64Array, c: Float64Array, size: Size): void
  /** c [n, n] += a [n, k] a [n, k]^T; c is symmetric before and after. */
  syrk(a: Float64Array, c: Float64Array, size: { readonly n: number; readonly k: number }): void
  /** c [m, n] = a [m, k] b [n, k]^T in float32 */
  gemm32(a: Float32Array, b: Float32Array, c: Float32Array, size: Size): void
  /** Ends the threads and gives the memory back. */
  dispose(): void | Promise<void>
}

/**
 * Products in float64, and in float32 to screen with, by the kernels of this package: `products` of the measures of `@dit/metrics`.
 *
 * Results are the same bits for any number of threads.
 *
 * @throws what `cpu` throws for its options
 *
 * @example
 * const products = await float64()
 * frechetDistance(real, generated, { products })
 */
export async function float64(options: Float64Options = {}): Promise<Float64Products> {
  const engine = await chooseEngine(options)
  return {
    description: engine.description,
    gemm(a, b, c, { m, n, k }) {
      checkLengths('gemm', [a, m * k], [b, n * k], [c, m * n])
      withMemory(engine, [a, b, c], 3, ([first, second, out]) => {
        engine.call('product64', first, second, out, m, n, k, 0)
      })
    },
    syrk(a, c, { n, k }) {
      checkLengths('syrk', [a, n * k], [c, n * n])
      withMemory(engine, [a, c], 2, ([first, out]) => engine.call('product64', first, first, out, n, n, k, 1))
    },
    gemm32(a, b, c, { m, n, k }) {
      checkLengths('gemm32', [a, m * k], [b, n * k], [c, m * n])
      withMemory(engine, [a, b, c], 2, ([first, second, out]) => {
        engine.call('matmul', first, second, out, 1, m, n, k, 0, 1)
      })
    },
    dispose: () => engine.dispose(),
  }
}

function checkLengths(who: string, ...arrays: readonly (readonly [ArrayLike<number>, number])[]): void {
  arrays.forEach(([{ length }, want], i) => {
    if (length !== want) throw new RangeError(`${who}: array ${i + 1} must have ${want} numbers; it has ${length}`)
  })
}

/** Copies the first `numRead` arrays to the engine, runs, and copies the last one back. */
function withMemory(
  { allocate, free, write, read }: Engine,
  arrays: readonly (Float64Array | Float32Array)[],
  numRead: number,
  run: (addresses: readonly number[]) => void,
): void {
  const addresses: number[] = []
  try {
    for (const [i, array] of arrays.entries()) {
      const address = allocate(array.byteLength)
      addresses.push(address)
      if (i < numRead) write(address, words(array))
    }
    run(addresses)
    read(addresses.at(-1)!, words(arrays.at(-1)!))
  } finally {
    addresses.forEach((address, i) => free(address, arrays[i].byteLength))
  }
}

/** The same bytes as words of 4, which engines copy: as integers, so that no pattern of bits changes on the way. */
function words({ buffer, byteOffset, byteLength }: Float64Array | Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, byteLength / 4)
}
