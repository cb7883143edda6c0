import { dirname, join, resolve } from 'node:path'
import type { WhichWeights } from '@dit/model'
import { OpenError, type OpenModel, type Prompted } from '@dit/pipeline'
import { isCheckpoint, isRun, openModel } from '@dit/pipeline/node'
import { withPrompts } from '@dit/train-ddp'
import { BEST, readRunOfCheckpoint } from '../run/checkpoint-run.js'
import { isModuleRun, type OwnObjective, ownObjectiveOf } from '../run/own-objective.js'
import { howToGetRun, readRunConfig } from '../run/run-folder.js'
import { UsageError } from '../terminal/errors.js'
import { hubAccess } from './hub-access.js'
import { pretrainedLike, pretrainedPlaces } from './pretrained.js'
import { storedOptions } from './option-setting.js'
import { SOURCE_SETTINGS, type SourceFlags } from './source-settings.js'
import { processSettings, type WeightsProcessFlags } from './weights-process.js'

/** What a command knows of a model that it opens. */
export interface Opening {
  readonly which?: WhichWeights
  /** Makes the network of one that is told conditions; without it, such a network is refused. */
  readonly prompted?: Prompted
}

/** Flags that say which model is meant, and what it was trained on. */
export type ModelFlags = SourceFlags & WeightsProcessFlags

/**
 * Opens the model that the command line means: an argument, or one of the flags for the kinds of it.
 *
 * @param given the argument; undefined where there is none
 * @throws UsageError where there is none or too many; OpenError and OptionError as `openModel`
 */
export async function openModelOf(
  given: string | undefined,
  flags: ModelFlags,
  command: string,
  more: Opening = {},
): Promise<OpenModel> {
  if (flags.checkpoint === BEST) return openBest(given, flags, command, more)
  const named = [given, flags.run, flags.checkpoint, flags.weights].filter((path) => path !== undefined)
  if (named.length > 1) {
    throw new UsageError(
      given === undefined
        ? '--run, --checkpoint and --weights each name a model; give only one of them'
        : `${given}: the model is named twice; give either this argument or one of --run, --checkpoint and --weights`,
    )
  }
  if (named.length === 0) {
    throw new UsageError(`which model? Give a run or weights: \`${command} <run or weights>\`. ${await howToGetRun()}`)
  }
  await checkRun(flags)
  return openNamed(named[0], flags, more)
}

/** The best checkpoint of the run that an argument or `--run` names. */
async function openBest(
  given: string | undefined,
  flags: ModelFlags,
  command: string,
  more: Opening,
): Promise<OpenModel> {
  const run = given ?? flags.run
  if (run === undefined || (given !== undefined && flags.run !== undefined) || flags.weights !== undefined) {
    throw new UsageError(
      `--checkpoint best needs one run, whose best checkpoint it is: \`${command} <run> --checkpoint best\``,
    )
  }
  const checkpoint = join(run, 'checkpoints', BEST)
  const { run: _run, ...others } = flags
  await checkRun({ ...others, checkpoint })
  return openNamed(checkpoint, others, more)
}

/** Opens a model by its path or address, with whatever flags say of it. */
export async function openNamed(name: string, flags: ModelFlags, more: Opening = {}): Promise<OpenModel> {
  const { vae } = flags
  const process = processSettings(flags)
  try {
    const own = await ownObjective(name, flags)
    const options = {
      ...storedOptions(SOURCE_SETTINGS, flags),
      prompted: refusing(name),
      ...more,
      ...(own === null ? {} : { objective: own.objective }),
      fetch: hubAccess(name),
      resolveFrom: pretrainedPlaces(),
    }
    const model = await openModel(name, process === undefined ? options : { ...options, process })
    return own === null ? model : { ...model, notices: [...model.notices, ...own.notices] }
  } catch (error) {
    if (error instanceof OpenError && error.problem === 'there is no such file or folder') {
      const bundled = pretrainedLike(name)
      const advice = bundled === null ? `. ${await howToGetRun()}` : `; did you mean ${bundled}, which comes with dit?`
      throw new UsageError(`${error.message}${advice}`, { cause: error })
    }
    if (error instanceof OpenError && error.source === vae) {
      throw new UsageError(`--vae ${vae}: ${error.problem}`, { cause: error })
    }
    throw error
  }
}

/** Refuses a network that is told conditions, for whoever knows classes only. */
function refusing(name: string): Prompted {
  return (config) => {
    const { conditions = [] } = config
    // Nothing to be told is one class.
    if (conditions.length === 0) return withPrompts(config, {}, 1)
    const told = conditions.map((each) => each.name).join(', ')
    throw new UsageError(
      `${name}: the network is told ${told}, not a class; draw with it by \`dit sample <model> --conditions <file>\`. Other commands need classes, but for dit convert and dit info`,
    )
  }
}

/** The objective of a run that a module makes; null for every other model. */
async function ownObjective(name: string, { objective: moved }: ModelFlags): Promise<OwnObjective | null> {
  const folder = (await isRun(name)) ? name : isCheckpoint(name) ? dirname(dirname(resolve(name))) : null
  const config = folder !== null && (await isRun(folder)) ? await readRunConfig(folder) : null
  if (config !== null && isModuleRun(config)) return ownObjectiveOf(config, moved)
  if (moved === undefined) return null
  throw new UsageError(
    `--objective is for a run that trains the network of a module, and ${name} is none; leave it out`,
  )
}

/** Checks that what a flag calls a run is one, with advice on how to get one. */
async function checkRun(flags: ModelFlags): Promise<void> {
  const { run, checkpoint } = flags
  if (run === undefined && checkpoint === undefined) return
  if (flags.half !== undefined) throw new UsageError('--half is for weights files; a run is used in float32')
  await (run === undefined ? readRunOfCheckpoint(checkpoint!) : readRunConfig(run))
}
