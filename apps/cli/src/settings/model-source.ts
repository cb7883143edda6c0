import type { WhichWeights } from '@dit/model'
import { OpenError, type OpenModel, type ProcessSettings } from '@dit/pipeline'
import { openModel } from '@dit/pipeline/node'
import { denoisingOf } from '../run/objective-config.js'
import { readRunOfCheckpoint } from '../run/checkpoint-run.js'
import { howToGetRun, readRunConfig } from '../run/run-folder.js'
import { UsageError } from '../terminal/errors.js'
import { parseBetas } from './betas-file.js'
import type { ProcessFlags } from './process-options.js'

/** Flags that say which model is meant. */
export interface SourceFlags extends ProcessFlags {
  readonly run?: string
  readonly checkpoint?: string
  readonly weights?: string
  readonly raw?: boolean
  /** Attention heads, where the weights do not tell. */
  readonly heads?: number
  readonly vae?: string
  readonly half?: 'f16' | 'bf16'
}

/**
 * Opens the model that the command line means: an argument, or one of the flags for the kinds of it.
 *
 * @param given the argument; undefined where there is none
 * @throws UsageError where there is none or too many; OpenError and OptionError as `openModel`
 */
export async function openModelOf(given: string | undefined, flags: SourceFlags, command: string): Promise<OpenModel> {
  const named = [given, flags.run, flags.checkpoint, flags.weights].filter((path) => path !== undefined)
  if (named.length > 1) {
    throw new UsageError(
      given === undefined
        ? '--run, --checkpoint and --weights exclude each other'
        : `${given}: a model is named by an argument, or by --run, --checkpoint or --weights; leave all but one out`,
    )
  }
  if (named.length === 0) {
    throw new UsageError(`a model is needed: \`${command} <run or weights>\`. ${await howToGetRun()}`)
  }
  await checkRun(flags, command)
  return openNamed(named[0], flags)
}

/** Opens a model by its path or address, with whatever flags say of it. */
export async function openNamed(
  name: string,
  flags: Omit<SourceFlags, 'weights'>,
  { which = flags.raw === true ? 'model' : undefined }: { readonly which?: WhichWeights } = {},
): Promise<OpenModel> {
  const { heads, vae } = flags
  const process = processSettings(flags)
  try {
    return await openModel(name, {
      ...(which === undefined ? {} : { which }),
      ...(heads === undefined ? {} : { heads }),
      ...(process === undefined ? {} : { process }),
      ...(vae === undefined ? {} : { autoencoder: vae }),
    })
  } catch (error) {
    if (error instanceof OpenError && error.problem.startsWith('there is no such file')) {
      throw new UsageError(`${error.message}. ${await howToGetRun()}`, { cause: error })
    }
    if (error instanceof OpenError && error.source === vae) {
      throw new UsageError(`--vae ${vae}: ${error.problem}`, { cause: error })
    }
    throw error
  }
}

/** Checks that what a flag calls a run is one, with advice on how to get one. */
async function checkRun(flags: SourceFlags, command: string): Promise<void> {
  const { run, checkpoint } = flags
  if (run === undefined && checkpoint === undefined) return
  if (flags.half !== undefined) throw new UsageError('--half is for --weights; the checkpoints of runs are small')
  const config = run === undefined ? await readRunOfCheckpoint(checkpoint!) : await readRunConfig(run)
  denoisingOf(config, command)
}

/** The settings of a process that flags say; undefined where they say none. */
export function processSettings(flags: ProcessFlags): ProcessSettings | undefined {
  const { process: kind, predict, path: interpolant, schedule, timesteps: numTimesteps, variance: varianceType } = flags
  const { betaStart, betaEnd, betas } = flags
  const settings = {
    kind,
    [kind === 'gaussian' ? 'meanType' : 'prediction']: predict,
    interpolant,
    schedule,
    numTimesteps,
    betaStart,
    betaEnd,
    betas: betas === undefined ? undefined : parseBetas(betas),
    varianceType,
  }
  const given = Object.entries(settings).filter(([, value]) => value !== undefined)
  return given.length === 0 ? undefined : Object.fromEntries(given)
}
