import { needsBase } from './trained.js'
import { type DiTConfig, loadParams, parameterShapes } from '@dit/model'
import { openStart } from '@dit/pipeline/node'
import type { Backend, Params } from '@dit/tensor'
import { dispose } from '@dit/tensor'
import {
  type Communicator,
  DamagedCheckpointError,
  findCheckpoint,
  type Objective,
  objectiveFromSpec,
  shareParams,
} from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { denoisingOf } from '../run/objective-config.js'
import type { RunConfig } from '../run/run-config.js'

/**
 * The weights that a resumed run began with, if it still needs them: for adapters, as a teacher, or before the first checkpoint.
 *
 * @returns on the engine, the caller's to dispose of; null where a checkpoint has all
 * @throws OpenError where they are gone or changed
 */
export async function resumedStart(folder: string, config: RunConfig, backend: Backend): Promise<Params | null> {
  if (config.from === undefined) return null
  if (!needsBase(config) && (await hasCheckpoint(folder))) return null
  const file = await openStart(folder, config.from.start)
  try {
    return await loadParams(file, { backend })
  } finally {
    await file.close()
  }
}

/** Whether a run has a checkpoint, be it damaged: then the trainer knows better what to say. */
async function hasCheckpoint(folder: string): Promise<boolean> {
  try {
    return (await findCheckpoint(folderRunStore(folder))) !== null
  } catch (error) {
    if (error instanceof DamagedCheckpointError) return true
    throw error
  }
}

/** What a run begins with on one worker. */
export interface Start {
  /** The parameters to train from, of the whole network; null where the objective makes its own, or a checkpoint has them. */
  readonly initial: Params | null
  /** The objective, where only the weights make it: that of adapters, or of a student. */
  readonly objective: Objective | null
}

/** Brings the weights of rank 0 to every worker. Every rank calls it, with the weights on rank 0. */
export async function shareStart(
  config: RunConfig,
  weights: Params | null,
  communicator: Communicator,
  backend: Backend,
): Promise<Start> {
  const { model } = denoisingOf(config, '--from')
  const shared = await shareParams(
    communicator,
    weights ?? undefined,
    parameterShapes(baseConfig(config, model)),
    backend,
  )
  if (!needsBase(config)) return { initial: shared, objective: null }
  try {
    return { initial: null, objective: objectiveFromSpec(config.objective, { base: shared }) }
  } catch (error) {
    dispose(shared)
    throw error
  }
}

/** The network whose weights a run began from: of the first student that takes the scale of guidance, the one without that input. */
function baseConfig({ objective }: RunConfig, model: DiTConfig): DiTConfig {
  if (objective.kind !== 'distillation' || !objective.isFirst) return model
  const { guidanceRange: _, ...config } = model
  return config
}
