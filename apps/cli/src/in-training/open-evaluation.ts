import { type Dataset, subset } from '@dit/data'
import {
  evaluate,
  type EvaluateOptions,
  type Evaluation,
  memoryStore,
  type MeasureResult,
  type PictureSource,
} from '@dit/evaluate'
import { openPipeline } from '@dit/pipeline/node'
import type { DetailedMeasures, Evaluate } from '@dit/train-ddp'
import type { HeldOut } from '../run/held-out.js'
import type { PreparedRun } from '../run/prepare-training.js'
import { Failure, UsageError } from '../terminal/errors.js'
import type { Output } from '../terminal/output.js'
import { type Clock, steadyClock } from '../time/clock.js'
import { type EvaluationConfig, fewestSamples } from './evaluation-config.js'
import { openTrainingExtractor } from './open-extractor.js'
import { trainedModel } from './trained-model.js'
import { checkHeldOutClasses, chooseReal, decodedLatents } from './real-pictures.js'

/** An evaluation as the log holds it, beside the values themselves. */
export interface LoggedEvaluation {
  readonly extractor: {
    readonly name: string
    readonly fingerprint: string
    readonly layer: string
    readonly width: number
  }
  readonly sampling: Readonly<Record<string, unknown>>
  readonly seed: number
  /** Samples. */
  readonly count: number
  /** Real pictures, and which. */
  readonly real: number
  readonly against: EvaluationConfig['against']
  readonly results: readonly MeasureResult[]
}

/** What draws samples of a run and measures them. */
export interface OpenEvaluation {
  /** With the fingerprint of the extractor. */
  readonly config: EvaluationConfig
  readonly every: number
  /** Real pictures that samples are measured against. */
  readonly real: number
  /** Seconds of an evaluation beside drawing samples, roughly: features, and the measures. */
  readonly overheadSeconds: number
  readonly run: Evaluate['run']
  close(): void
}

/** What an evaluation tells while it runs. */
export interface EvaluationWatch {
  readonly signal: AbortSignal
  /** Told of samples that are drawn. */
  readonly onProgress: (step: number, done: number, total: number) => void
}

/** Of all noise, and of whatever is drawn by chance: every evaluation of every run has the same. */
const SEED = 0
/** Resamples behind an interval: enough to tell a difference from chance, at a cost below that of the samples. */
const RESAMPLES = 50

/**
 * Opens what evaluates a run while it trains; null where nothing is to be evaluated. Only rank 0 calls it.
 *
 * @throws UsageError where the pictures do not suffice; Failure where the extractor is not the one that the run began with
 */
export async function openEvaluation(
  { config, data, engine: { backend }, objective, allowInexact }: PreparedRun,
  heldOut: HeldOut | null,
  { signal, onProgress }: EvaluationWatch,
  output: Pick<Output, 'notice'>,
  clock: Clock = steadyClock,
): Promise<OpenEvaluation | null> {
  const { evaluation } = config
  if (evaluation === undefined || evaluation.every === null) return null
  const { measures, count, against, sampler, steps, guidance, autoencoder } = evaluation
  const all = data.dataset!
  if (against === 'held-out') checkHeldOutClasses(heldOut!.train, heldOut!.pictures, config.heldOut!.share)
  const fewest = Math.max(...measures.map(fewestSamples))
  const dataset = chooseReal(against === 'held-out' ? heldOut!.pictures : all, count, fewest, against)
  const extractor = await openTrainingExtractor(evaluation.extractor, backend)
  const { fingerprint } = extractor
  try {
    checkFingerprint(evaluation, fingerprint, allowInexact, output)
    checkLayer(
      evaluation,
      extractor.layers.map(({ name }) => name),
    )
    const real = autoencoder === undefined ? dataset : await decodedLatents(dataset, autoencoder, backend)
    const options: EvaluateOptions = {
      extractor,
      layer: evaluation.layer,
      measures,
      count,
      classes: await classesIn(dataset),
      sampling: { sampler, steps, ...(guidance === 1 ? {} : { guidance }) },
      seed: SEED,
      // Features of the real pictures are taken once.
      store: memoryStore(),
      numResamples: RESAMPLES,
      names: { real: { name: against === 'held-out' ? 'held-out pictures' : 'the pictures of the run' } },
      signal,
    }
    const overheadSeconds = await tryOut(real, dataset, options, clock)
    const run: Evaluate['run'] = async ({ step, ema }): Promise<DetailedMeasures> => {
      const trained = trainedModel(config, objective, ema, '--eval-every')
      try {
        const pipeline = await openPipeline(trained.model, {
          backend,
          ...(autoencoder === undefined ? {} : { autoencoder }),
        })
        const found = await evaluate(pipeline, real, {
          ...options,
          onProgress: ({ stage, done, total }) => {
            if (stage === 'samples') onProgress(step, done, total)
          },
        }).finally(() => pipeline.dispose())
        return logged(found, against)
      } catch (error) {
        if (signal.aborted || !(error instanceof Error)) throw error
        throw new Failure(`the evaluation at step ${step} failed: ${error.message}`, { cause: error })
      } finally {
        trained.dispose()
      }
    }
    return {
      config: { ...evaluation, fingerprint },
      every: evaluation.every,
      real: dataset.length,
      overheadSeconds,
      run,
      close: () => extractor.dispose(),
    }
  } catch (error) {
    extractor.dispose()
    throw error
  }
}

/** Real pictures that stand for samples, to find what cannot be measured before a step is trained. */
const TRIED = 64

/**
 * Measures some of the real pictures against all: whatever cannot be is found now, and the features of the real ones are taken.
 *
 * @returns the seconds
 * @throws UsageError for measures that the extractor cannot take
 */
async function tryOut(real: PictureSource, dataset: Dataset, options: EvaluateOptions, clock: Clock): Promise<number> {
  const began = clock()
  const some =
    'pixels' in real
      ? real
      : subset(
          dataset,
          Uint32Array.from({ length: Math.min(TRIED, dataset.length) }, (_, i) => i),
        )
  try {
    await evaluate(some, real, options)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new UsageError(`--eval-measures: ${cause.message.replace(/^\w+: /, '')}`, { cause })
  }
  return clock() - began
}

/** Names of the classes that some pictures are of: of many classes not all are among the pictures chosen. */
async function classesIn(dataset: Dataset): Promise<string[]> {
  const labels =
    dataset.labels?.() ?? (await dataset.read(Uint32Array.from({ length: dataset.length }, (_, i) => i))).labels
  const found = new Set(labels)
  return dataset.classes.filter((_, label) => found.has(label))
}

function logged(
  { measures: results, extractor, sampling, seed, generated, real }: Evaluation,
  against: EvaluationConfig['against'],
): DetailedMeasures {
  const measures = Object.fromEntries(results.map(({ measure, value }) => [measure, value]))
  const evaluation: LoggedEvaluation = {
    extractor,
    sampling: sampling ?? {},
    seed,
    count: generated.count,
    real: real.count,
    against,
    results,
  }
  return { measures, evaluation: { ...evaluation } }
}

function checkFingerprint(
  { extractor, fingerprint }: EvaluationConfig,
  found: string,
  allowInexact: boolean,
  output: Pick<Output, 'notice'>,
): void {
  if (fingerprint === undefined || fingerprint === found) return
  const what = `--eval-extractor ${extractor} has other weights than at the first evaluation of this run, so that values cannot be compared`
  if (!allowInexact) throw new Failure(`${what}; give the weights of then, or go on with --allow-inexact`)
  output.notice(`resumed inexactly: ${what}`)
}

function checkLayer({ extractor, layer }: EvaluationConfig, layers: readonly string[]): void {
  if (layer === undefined || layers.includes(layer)) return
  throw new UsageError(`--eval-layer ${layer}: ${extractor} has no such layer; it has ${layers.join(', ')}`)
}
