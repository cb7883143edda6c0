import { basename, dirname, resolve } from 'node:path'
import { stat } from 'node:fs/promises'
import { checkpointPath, checkpointStep, findCheckpoint, findDamage, type RunStore } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import type { RunConfig } from '../run/run-config.js'
import { howToGetRun, readRunConfig } from '../run/run-folder.js'
import { Failure, UsageError } from '../terminal/errors.js'

/** A checkpoint of a run, not loaded yet. */
export interface FoundModel {
  readonly folder: string
  readonly config: RunConfig
  readonly store: RunStore
  /** Of the checkpoint, in the store. */
  readonly path: string
  readonly step: number
  /** Lines for the user. */
  readonly notices: readonly string[]
}

/**
 * The checkpoint that `--run` or `--checkpoint` means.
 *
 * @throws UsageError, with advice on how to get one, where there is none; Failure where it is damaged
 */
export async function findModel(flags: { readonly run?: string; readonly checkpoint?: string }): Promise<FoundModel> {
  if (flags.run !== undefined && flags.checkpoint !== undefined) {
    throw new UsageError('--run and --checkpoint exclude each other')
  }
  if (flags.checkpoint !== undefined) return ofCheckpoint(flags.checkpoint)
  if (flags.run !== undefined) return ofRun(flags.run)
  throw new UsageError(`--run <folder> or --checkpoint <folder> is needed. ${await howToGetRun()}`)
}

async function ofRun(folder: string): Promise<FoundModel> {
  const config = await readRunConfig(folder)
  const store = folderRunStore(folder)
  const found = await findCheckpoint(store)
  if (found === null) {
    throw new UsageError(
      `${folder} has no checkpoint yet: it was stopped before the first one. Continue it with \`dit train --resume ${folder}\``,
    )
  }
  return { folder, config, store, ...found }
}

async function ofCheckpoint(checkpoint: string): Promise<FoundModel> {
  const path = resolve(checkpoint)
  const step = checkpointStep(basename(path))
  if ((await stat(path).catch(() => null)) === null) {
    throw new UsageError(`--checkpoint ${checkpoint}: there is no such folder. ${await howToGetRun()}`)
  }
  if (step === null || basename(dirname(path)) !== 'checkpoints') {
    throw new UsageError(
      `--checkpoint ${checkpoint}: a checkpoint is a folder such as <run>/checkpoints/step-0001000; give a whole run with --run`,
    )
  }
  const folder = dirname(dirname(path))
  const config = await readRunConfig(folder)
  const store = folderRunStore(folder)
  const damage = await findDamage(store, step)
  if (damage !== null) {
    throw new Failure(`${checkpoint} is damaged (${damage}); --run ${folder} takes the newest one that is whole`)
  }
  return { folder, config, store, path: checkpointPath(step), step, notices: [] }
}
