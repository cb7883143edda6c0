import { findCheckpoint, learningRateAt } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { UsageError } from '../terminal/errors.js'
import { formatCount, formatNumber } from '../terminal/format.js'
import type { Output } from '../terminal/output.js'
import type { RunConfig } from './run-config.js'

type Length = Pick<RunConfig, 'recipe' | 'steps'>

/**
 * Checks a length that differs from the one that a run was planned with, and says what becomes of the learning rate. The trainer decides
 * whether the run still repeats an unbroken one.
 *
 * @throws UsageError for fewer steps than are done
 */
export async function checkNewLength(
  folder: string,
  before: Length,
  now: Length,
  { output, allowInexact }: { readonly output: Pick<Output, 'notice'>; readonly allowInexact: boolean },
): Promise<void> {
  const found = await findCheckpoint(folderRunStore(folder))
  if (found === null) return
  const { step } = found
  if (now.steps < step) {
    throw new UsageError(
      `--steps ${now.steps}: the run has done ${formatCount(step)} steps, and a run cannot be shortened to less; ${folder}/checkpoints may hold earlier ones to sample from`,
    )
  }
  const [was, is] = [before, now].map(({ recipe, steps }) => learningRateAt(recipe, step + 1, steps))
  // Without leave to be inexact such a run is refused, and there is nothing to announce.
  if (was === is || now.steps === step || !allowInexact) return
  output.notice(
    `the run ends at step ${formatCount(now.steps)} instead of ${formatCount(before.steps)}: the learning rate goes on at ${formatNumber(is)} instead of ${formatNumber(was)}`,
  )
}
