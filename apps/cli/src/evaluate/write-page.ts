import { type Comparison, comparisonPage, type Evaluation, evaluationPage } from '@dit/evaluate'
import { writeWhole } from '../run/write-whole.js'

/** Writes the page of an evaluation. */
export async function writePage(path: string, evaluation: Evaluation, command: string): Promise<void> {
  await writeWhole(path, evaluationPage(evaluation, { command }))
}

/** Writes the page of a comparison. */
export async function writeComparisonPage(
  path: string,
  comparison: Comparison,
  evaluations: readonly [Evaluation, Evaluation],
  command: string,
): Promise<void> {
  await writeWhole(path, comparisonPage(comparison, { command, evaluations }))
}

/** A command line as a shell takes it. */
export function asTypedCommand(args: readonly string[]): string {
  const quoted = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", String.raw`'\''`)}'`))
  return ['dit', ...quoted].join(' ')
}
