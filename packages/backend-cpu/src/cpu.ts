import type { Backend } from '@dit/tensor'
import { createBackend } from './backend.js'
import { chooseEngine, type CpuOptions } from './choose-engine.js'

/**
 * The backend that runs on the processor, with own kernels for everything, fused ones included.
 *
 * Results are the same bits for any number of threads. `auto` takes a thread for each processor, at most 8, in Node and in
 * workers of cross-origin isolated pages, and one elsewhere; `describeCpu` tells what it took.
 *
 * @throws RangeError when `threads` is not an integer from 1 to 64, or more than 1 where there can be only one
 * @throws RangeError when the engine does not have the instruction set, or the machine does not
 * @throws RangeError when `precision` is `bf16` and the engine is not the native one, on x86
 * @throws Error when `engine` is `native` and there is no build for this platform
 *
 * @example
 * await useBackend(cpu())
 */
export async function cpu(options: CpuOptions = {}): Promise<Backend> {
  return createBackend(await chooseEngine(options))
}
