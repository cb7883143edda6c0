import type { Backend } from '@dit/tensor'
import { runtimeOf } from './describe.js'

export interface CompileAheadOptions {
  /** Called as each kernel is ready. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

/**
 * Compiles the kernels that some work will need, all at the same time and without blocking the page, before it begins.
 *
 * `work` is rehearsed: it runs as it is but computes nothing, and what it reads is zero. A training step or one forward pass is
 * enough; tensors that it makes it must dispose of as always, and what it changes it must be ready to lose. Nothing else may use
 * the backend meanwhile.
 *
 * @returns how many kernels were compiled
 * @throws TypeError when the backend is not one of `webgpu`
 *
 * @example
 * await compileAhead(backend, () => scope(() => void forward(config, params, inputs)), { onProgress: show })
 */
export async function compileAhead(
  backend: Backend,
  work: () => void | Promise<void>,
  { onProgress }: CompileAheadOptions = {},
): Promise<number> {
  const runtime = runtimeOf('compileAhead', backend)
  const needed = await runtime.rehearse(work)
  const total = needed.size
  let done = 0
  await Promise.all(
    [...needed].map(async ([key, make]) => {
      await runtime.pipelines.prepare(key, make)
      onProgress?.({ done: ++done, total })
    }),
  )
  return total
}
