import { join } from 'node:path'
import { openTensorsIn } from '@dit/checkpoint'
import { folderTree } from '@dit/checkpoint/node'
import type { ProcessSpec } from '@dit/diffusion'
import type { LatentScaling } from '@dit/model'
import { type DenoisingObjective, loadCheckpointParams } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import type { OpenModel } from '../open-model.js'
import { checkOwnParams, describeNetwork } from '../open/in-memory.js'
import type { OpenOptions } from '../open/open-tree.js'
import { OpenError, OptionError } from '../option-error.js'

/** A checkpoint of a run whose network is the user's own. */
export interface OwnCheckpoint {
  readonly folder: string
  /** Of the checkpoint, in the folder. */
  readonly path: string
  /** File of its weights. */
  readonly part: string
  readonly step: number
  readonly objective: DenoisingObjective
  /** What the run's `config.json` says of its objective. */
  readonly spec: unknown
  readonly classNames: readonly string[]
  readonly latents: LatentScaling | null
}

/**
 * Opens weights of a run whose network only its user's code can build.
 *
 * @throws OpenError where that code makes another objective than the run's, or one that is not sampled
 */
export async function openOwnRun(
  { folder, path, part, step, objective, spec, classNames, latents }: OwnCheckpoint,
  { which = 'ema', autoencoder, key, ...options }: OpenOptions,
): Promise<OpenModel> {
  if (key !== undefined) throw new OptionError('key', `it is for .pt files, and ${folder} is a run; leave it out`)
  if (!isDenoising(objective)) {
    throw new OpenError(folder, 'its objective is not made by `denoising`, so that there is nothing to sample')
  }
  if (JSON.stringify(objective.spec) !== JSON.stringify(spec)) {
    throw new OpenError(
      folder,
      `it trains another objective than the one given here: ${shown(spec)}, not ${shown(objective.spec)}`,
    )
  }
  const { network, spec: own } = objective
  const described = await describeNetwork(
    {
      name: folder,
      network,
      // Of one of the user's own, the check of it tells.
      process: own.process as ProcessSpec,
      classNames: options.classNames ?? classNames,
      latents,
    },
    autoencoder ?? null,
  )
  const weights = await openTensorsIn(folderTree(join(folder, path)), part)
  try {
    checkOwnParams(folder, network, weights.entries)
  } catch (error) {
    await weights.close()
    throw error
  }
  return {
    name: folder,
    title: folder,
    ...described,
    layout: null,
    which,
    step,
    location: join(folder, path, part),
    notices: [],
    weights,
    isLent: false,
    load: (backend) => loadCheckpointParams(folderRunStore(folder), path, which, backend),
    close: () => weights.close(),
  }
}

function isDenoising(objective: object): objective is DenoisingObjective {
  return 'network' in objective && 'process' in objective
}

function shown(spec: unknown): string {
  const text = JSON.stringify(spec)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
