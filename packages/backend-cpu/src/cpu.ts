import type { Backend } from '@dit/tensor'
import { createBackend } from './backend.js'
import { processorCount, threadsObstacle } from './platform.js'
import { wasmEngine } from './wasm/engine.js'

export interface CpuOptions {
  /** `wasm` (WebAssembly with SIMD) runs everywhere. */
  readonly engine?: 'wasm'
  /** How many threads share the work, the calling one included; `auto` takes one for each processor where it can. */
  readonly threads?: number | 'auto'
}

// Beyond this the products of a small transformer have too few parts.
const MAX_AUTO_THREADS = 8
// That of csrc/context.h.
const MAX_THREADS = 64

/**
 * The backend that runs on the processor, with own kernels for everything, fused ones included.
 *
 * Results are the same bits for any number of threads. `auto` takes a thread for each processor, at most 8, in Node and in
 * workers of cross-origin isolated pages, and one elsewhere; `describeCpu` tells what it took.
 *
 * @throws RangeError when `threads` is not an integer from 1 to 64, or more than 1 where there can be only one
 *
 * @example
 * await useBackend(cpu())
 */
export async function cpu({ engine = 'wasm', threads = 'auto' }: CpuOptions = {}): Promise<Backend> {
  if (engine !== 'wasm') throw new TypeError(`cpu: engine must be 'wasm' (got ${JSON.stringify(engine)})`)
  return createBackend(await wasmEngine(chosenThreads(threads)))
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
