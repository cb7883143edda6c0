import { dirname, join } from 'node:path'
import { isPixelModel, type OpenModel } from '@dit/pipeline'
import { isCheckpoint } from '@dit/pipeline/node'
import { spatialFactor } from '@dit/vae'
import { isPictureData, type RunConfig } from '../run/run-config.js'
import { openModelOf } from '../settings/model-source.js'
import { UsageError } from '../terminal/errors.js'
import type { Output } from '../terminal/output.js'
import type { EvalFlags } from './eval-settings.js'
import { readEvaluationNpz } from './npz-pictures.js'
import {
  checkThere,
  type Judged,
  kindOf,
  type OpenSet,
  openRunSets,
  openSet,
  type Reading,
  runConfigOf,
  sideOfFolder,
} from './open-sets.js'

/** All that an evaluation reads, opened. */
export interface EvalInputs {
  readonly judged: Judged
  /** Null where pictures are judged that are there already. */
  readonly model: OpenModel | null
  readonly pictures: OpenSet | null
  readonly real: OpenSet
  readonly training: OpenSet | null
  /** Real pictures that were not trained on, where these are not `real`. */
  readonly heldOut: OpenSet | null
  /** The run was trained on mirror images, too. */
  readonly isMirrored: boolean
  close(): Promise<void>
}

const WITHOUT_DATA = 'which real pictures? Give a folder, tar shards or an npz with --data'

/**
 * Whether everything that an evaluation needs was given and is there. Nothing is read yet.
 *
 * @throws UsageError for whatever is missing, with the flag that gives it
 */
export async function checkGiven(given: string, flags: EvalFlags): Promise<void> {
  const judged = await kindOf(given)
  if (flags.data === undefined && (judged === 'npz' || judged === 'pictures')) throw new UsageError(WITHOUT_DATA)
  if (flags.data !== undefined) await checkThere('--data', flags.data)
  if (flags.train !== undefined) await checkThere('--train', flags.train)
  if (flags.heldOut !== undefined) {
    await checkThere('--held-out', flags.heldOut)
    if (flags.train === undefined && judged !== 'run')
      throw new UsageError(
        `--held-out ${flags.heldOut}: copies are looked for only with training pictures; give --train`,
      )
  }
}

/**
 * Opens what is judged and what it is judged by.
 *
 * @throws UsageError for whatever is missing, with the flag that gives it
 */
export async function openInputs(
  given: string,
  flags: EvalFlags,
  output: Output,
  signal: AbortSignal,
): Promise<EvalInputs> {
  const opened: { close(): Promise<void> }[] = []
  const keep = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one)
    return one
  }
  const close = async () => {
    for (const one of opened.toReversed()) await one.close()
  }
  try {
    const judged = await kindOf(given)
    const isModel = judged === 'run' || judged === 'model'
    const config = judged === 'run' ? await runConfigOf(given) : null
    const model = isModel ? keep(await openModelOf(given, flags, 'dit eval')) : null
    if (!isModel) refuseModelFlags(given, flags)
    if (config === null && flags.data === undefined) throw new UsageError(WITHOUT_DATA)
    const reading = { ...(await readingOf(given, judged, model, config, flags)), signal }
    const pictures = isModel ? null : keep(await openSet('', given, reading, output))
    if (pictures !== null && 'statistics' in pictures.source)
      throw new UsageError(`${given} holds statistics, and no pictures to judge; give it as --data`)
    const own = config === null ? null : await openOwn(given, config, flags, { output, keep, signal })
    const data = flags.data === undefined ? null : keep(await openSet('--data', flags.data, reading, output))
    const train = flags.train === undefined ? null : keep(await openSet('--train', flags.train, reading, output))
    if (train !== null && 'statistics' in train.source)
      throw new UsageError(`--train ${flags.train}: it holds statistics, and copies are looked for among pictures`)
    const apart = flags.heldOut === undefined ? null : keep(await openSet('--held-out', flags.heldOut, reading, output))
    if (apart !== null && 'statistics' in apart.source)
      throw new UsageError(`--held-out ${flags.heldOut}: it holds statistics, and copies are looked for among pictures`)
    const real = (data ?? own?.heldOut ?? own?.training)!
    const isJudgedByTraining = data === null && own !== null && own.heldOut === null
    if (isJudgedByTraining && apart !== null)
      throw new UsageError(
        `--held-out ${flags.heldOut}: ${given} held no pictures out; give these with --data, and it is judged by them, too`,
      )
    if (isJudgedByTraining) {
      output.notice(
        `${given} held no pictures out, so it is judged by those that it was trained on, and copies cannot be told; train with --val-share, or give other pictures with --data`,
      )
    }
    const isStatistics = 'statistics' in real.source
    return {
      judged,
      model,
      pictures,
      real,
      training: train ?? (isJudgedByTraining ? null : (own?.training ?? null)),
      heldOut: apart ?? (isStatistics ? (own?.heldOut ?? null) : null),
      isMirrored: config?.flip ?? false,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The pictures of the run itself; null, with a word, where they cannot be had and are not needed. */
async function openOwn(
  given: string,
  config: RunConfig,
  flags: EvalFlags,
  { output, keep, signal }: { output: Output; keep: (one: OpenSet) => OpenSet; signal: AbortSignal },
) {
  if (flags.data !== undefined && flags.train !== undefined) return null
  try {
    const { training, heldOut } = await openRunSets(given, config, output, signal)
    keep(training)
    return { training, heldOut }
  } catch (error) {
    if (!(error instanceof UsageError) || flags.data === undefined) throw error
    output.notice(`copies of training pictures are not looked for: ${error.message}`)
    return null
  }
}

async function readingOf(
  given: string,
  judged: Judged,
  model: OpenModel | null,
  config: RunConfig | null,
  { size, skipBad, background }: EvalFlags,
): Promise<Reading> {
  const ofRun = config !== null && isPictureData(config.data) ? config.data : null
  const ground = background === undefined ? (ofRun === null ? '#ffffff' : (ofRun.background ?? null)) : background
  const own = { skipBad: skipBad ?? ofRun?.skipBad ?? false, background: ground }
  if (model !== null) {
    const side = sideOf(given, model)
    if (size !== undefined && size !== side)
      throw new UsageError(
        `--size ${size}: ${given} makes pictures of ${side} x ${side}, and real ones must be as large`,
      )
    return { ...own, size: side }
  }
  if (judged === 'npz') {
    const npz = await readEvaluationNpz('', given)
    if (npz.kind === 'statistics') return { ...own, size: size ?? 1 }
    const { height, width } = npz.pictures
    if (height !== width) throw new UsageError(`${given}: pictures must be square, but they are ${height} x ${width}`)
    if (size !== undefined && size !== height)
      throw new UsageError(
        `--size ${size}: ${given} holds pictures of ${height} x ${height}, and real ones must be as large`,
      )
    return { ...own, size: height }
  }
  return { ...own, size: size ?? (await sideOfFolder(given)) }
}

/** Side of the pictures of a model. */
function sideOf(given: string, { network, autoencoder }: OpenModel): number {
  const [, h, w] = network.inputShape
  if (autoencoder === null && !isPixelModel(network)) {
    throw new UsageError(`${given} makes latents, not pictures; give their autoencoder with --vae <folder>`)
  }
  const factor = autoencoder === null ? 1 : spatialFactor(autoencoder.config)
  if (h !== w)
    throw new UsageError(
      `${given} makes pictures of ${h * factor} x ${w * factor}, and dit eval reads square real pictures`,
    )
  return h * factor
}

/** Flags that are for models only. */
const OF_MODELS = [
  'steps',
  'sampler',
  'guidance',
  'count',
  'vae',
  'lora',
  'raw',
  'half',
  'heads',
  'key',
  'objective',
  'process',
] as const

function refuseModelFlags(given: string, flags: EvalFlags): void {
  const wrong = OF_MODELS.find((name) => flags[name] !== undefined)
  if (wrong === undefined) return
  throw new UsageError(`--${wrong} is for models, and ${given} holds pictures; leave it out`)
}

/** Where an evaluation goes unless the user says: into the run, beside the weights, or here. */
export function usualPlace(given: string, { judged, model }: Pick<EvalInputs, 'judged' | 'model'>): string {
  if (judged === 'run') return join(isCheckpoint(given) ? dirname(dirname(given)) : given, 'evaluation')
  return join(model === null || model.location === null ? '.' : dirname(model.location), 'evaluation')
}
