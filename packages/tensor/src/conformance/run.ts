import type { Backend } from '../backend.js'
import type { CaseContext, ConformanceCase, ConformanceOptions } from './case.js'
import { binaryCases } from './cases/binary.js'
import { blockCases } from './cases/block.js'
import { fusedCases } from './cases/fused.js'
import { halfWeightCases } from './cases/half-weights.js'
import { imageCases } from './cases/image.js'
import { inPlaceCases } from './cases/in-place.js'
import { inferenceCases } from './cases/inference.js'
import { layoutCases } from './cases/layout.js'
import { matmulCases } from './cases/matmul.js'
import { memoryCases } from './cases/memory.js'
import { modernCases } from './cases/modern.js'
import { optimizerCases } from './cases/optimizer.js'
import { reduceCases } from './cases/reduce.js'
import { unaryCases } from './cases/unary.js'
import { valueCases } from './cases/values.js'
import { viewCases } from './cases/views.js'

/** How one case went. */
export interface ConformanceResult {
  readonly name: string
  readonly group: string
  /** Null where the case passed. */
  readonly error: Error | null
  /** Largest error over its tolerance, where the case passed and something was measured. */
  readonly worst: number
}

export interface ConformanceRunOptions extends ConformanceOptions {
  /** Which cases to run: those whose name holds the text or matches; all by default. */
  readonly filter?: string | RegExp
  /** Called after each case. */
  readonly onResult?: (result: ConformanceResult) => void
}

/**
 * The claims that every backend fulfils, for a test framework: one test each.
 *
 * ```js
 * for (const { name, run } of conformanceCases()) test(name, async () => void (await run(backend)))
 * ```
 *
 * They compare each kernel, forward and backward, with `reference` in float64 on the same inputs, go through the public ops
 * (so fused kernels are tested where the backend has them, and their composition where it has not), and check that no
 * buffer is left behind. Cases of one backend must not run at the same time: they count its buffers.
 */
export function conformanceCases({ factor = 1, exactNormals, operands }: ConformanceOptions = {}): ConformanceCase[] {
  const context: CaseContext = {
    exactNormals,
    operands,
    define: (group, claim, run) => {
      const name = `${group}: ${claim}`
      return {
        name,
        group,
        run: (backend) => withoutLeak(backend, () => run(backend, typeof factor === 'number' ? factor : factor(name))),
      }
    },
  }
  return [
    valueCases,
    memoryCases,
    unaryCases,
    binaryCases,
    inPlaceCases,
    layoutCases,
    reduceCases,
    matmulCases,
    fusedCases,
    modernCases,
    halfWeightCases,
    imageCases,
    inferenceCases,
    viewCases,
    optimizerCases,
    blockCases,
  ].flatMap((make) => make(context))
}

/**
 * Runs the cases one after the other and never throws.
 *
 * @returns a result for each, in order; the backend conforms if every `error` is null
 */
export async function runConformance(
  backend: Backend,
  { filter = '', onResult, ...options }: ConformanceRunOptions = {},
): Promise<ConformanceResult[]> {
  const results: ConformanceResult[] = []
  for (const { name, group, run } of conformanceCases(options)) {
    if (!(typeof filter === 'string' ? name.includes(filter) : filter.test(name))) continue
    let result: ConformanceResult
    try {
      result = { name, group, error: null, worst: await run(backend) }
    } catch (error) {
      result = { name, group, error: error instanceof Error ? error : new Error(String(error)), worst: Infinity }
    }
    results.push(result)
    onResult?.(result)
  }
  return results
}

async function withoutLeak(backend: Backend, run: () => Promise<number>): Promise<number> {
  const before = backend.memory()
  const worst = await run()
  const after = backend.memory()
  if (after.buffers !== before.buffers || after.bytes !== before.bytes) {
    throw new Error(
      `left ${after.buffers - before.buffers} buffers with ${after.bytes - before.bytes} bytes behind (${backend.name})`,
    )
  }
  return worst
}
