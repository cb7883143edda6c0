import { join } from 'node:path'
import { compareEvaluations, type EvaluationWithRows } from '@dit/evaluate'
import type { Products } from '@dit/metrics'
import { writeWhole } from '../run/write-whole.js'
import type { Output } from '../terminal/output.js'
import { EVALUATION_FILES } from './eval-place.js'
import { EVAL_DEFAULTS, type EvalFlags } from './eval-settings.js'
import { writeComparisonPage } from './write-page.js'
import { comparisonLines, warningLines } from './show-evaluation.js'

/** How evaluations are compared. */
export interface CompareHow {
  readonly flags: EvalFlags
  /** As it was typed. */
  readonly command: string
  readonly products: Products
  readonly output: Output
}

/** Compares two evaluations, of which the earlier one is the first. */
export async function compareWith(
  first: EvaluationWithRows,
  second: EvaluationWithRows,
  folder: string | null,
  { flags, command, products, output }: CompareHow,
): Promise<void> {
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
  const page = join(folder, EVALUATION_FILES.comparisonPage)
  await writeComparisonPage(page, comparison, [first.evaluation, second.evaluation], command)
  output.line(`wrote  ${page}, and ${EVALUATION_FILES.comparison} beside it`)
}
