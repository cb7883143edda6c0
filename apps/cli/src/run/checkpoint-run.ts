import { stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { checkpointStep } from '@dit/train-ddp'
import { UsageError } from '../terminal/errors.js'
import type { RunConfig } from './run-config.js'
import { howToGetRun, readRunConfig } from './run-folder.js'

/** What stands for the best checkpoint in place of its name: `<run>/checkpoints/best`, or alone behind `--checkpoint`. */
export const BEST = 'best'

/** Whether a path means the best checkpoint of a run. */
export function isBestCheckpoint(path: string): boolean {
  return basename(path) === BEST && basename(dirname(resolve(path))) === 'checkpoints'
}

/**
 * The configuration of the run that a checkpoint is part of.
 *
 * @throws UsageError where it is no checkpoint, with advice
 */
export async function readRunOfCheckpoint(checkpoint: string): Promise<RunConfig> {
  const path = resolve(checkpoint)
  if (isBestCheckpoint(path)) return readRunConfig(dirname(dirname(path)))
  if ((await stat(path).catch(() => null)) === null) {
    throw new UsageError(`--checkpoint ${checkpoint}: there is no such folder. ${await howToGetRun()}`)
  }
  if (checkpointStep(basename(path)) === null || basename(dirname(path)) !== 'checkpoints') {
    throw new UsageError(
      `--checkpoint ${checkpoint}: this is not a checkpoint, a folder such as <run>/checkpoints/step-0001000; for a whole run use --run`,
    )
  }
  return readRunConfig(dirname(dirname(path)))
}
