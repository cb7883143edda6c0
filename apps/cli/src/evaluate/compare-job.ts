import { join } from 'node:path'
import { compareEvaluations, type EvaluationWithRows } from '@dit/evaluate'
import type { Products } from '@dit/metrics'
import { writeWhole } from '../run/write-whole.js'
import type { Output } from '../terminal/output.js'
import { EVALUATION_FILES } from './eval-place.js'
import { EVAL_DEFAULTS, type EvalFlags } from './eval-settings.js'
import { findEvaluation } from './find-evaluation.js'
import { comparisonLines, warningLines } from './show-evaluation.js'

/** How evaluations are compared. */
export interface CompareHow {
  readonly flags: EvalFlags
  readonly products: Products
  readonly output: Output
}

/** Compares a new evaluation with an earlier one, which is the first of the two. */
export async function compareWith(
  path: string,
  second: EvaluationWithRows,
  folder: string | null,
  { flags, products, output }: CompareHow,
): Promise<void> {
  const first = await findEvaluation(path)
  const comparison = compareEvaluations(first, second, {
    numResamples: Math.max(2, flags.resamples ?? EVAL_DEFAULTS.resamples),
    level: flags.level ?? EVAL_DEFAULTS.level,
    seed: flags.seed ?? 0,
    k: flags.neighbours ?? EVAL_DEFAULTS.neighbours,
    products,
  })
  for (const line of ['', ...comparisonLines(comparison), '']) output.line(line)
  for (const warning of warningLines(comparison)) output.notice(warning)
  output.event({ type: 'comparison', comparison })
  if (folder === null) return
  const file = join(folder, EVALUATION_FILES.comparison)
  await writeWhole(file, `${JSON.stringify(comparison, null, 2)}\n`)
  output.line(`wrote  ${file}`)
}
