import { join } from 'node:path'
import { float64 } from '@dit/backend-cpu/float64'
import {
  computeShare,
  type EvaluatedPipeline,
  type EvaluateOptions,
  type Evaluation,
  evaluateWithRows,
  type EvaluationWithRows,
  type Generated,
  type PictureSource,
  type RealData,
} from '@dit/evaluate'
import { folderFeatureStore, writeRows } from '@dit/evaluate/node'
import type { FeatureExtractor } from '@dit/features'
import { createPipeline, planSampling, toPng } from '@dit/pipeline'
import { onRankZero, sharedText } from '@dit/train-ddp'
import { chosenBackend } from '../engines/engine-options.js'
import { openEngine, type OpenEngine } from '../engines/open-engine.js'
import { showEngine } from '../engines/show-engine.js'
import type { Job } from '../job/job.js'
import { writeWhole } from '../run/write-whole.js'
import { checkSampleMemory } from '../samples/check-memory.js'
import { autoencoderDigest, engineDigest } from '../samples/job-settings.js'
import { inFlags } from '../settings/option-flag.js'
import { didYouMean } from '../settings/suggest.js'
import { storedOptions } from '../settings/option-setting.js'
import { EXIT, UsageError } from '../terminal/errors.js'
import type { Output } from '../terminal/output.js'
import { stageProgress } from './stage-progress.js'
import { cacheLine } from './cache-size.js'
import { compareWith } from './compare-job.js'
import { checkGiven, type EvalInputs, openInputs, usualPlace } from './eval-inputs.js'
import { EVALUATION_FILES, evalPlace, type EvalSettings, openPlace } from './eval-place.js'
import { EVAL_DEFAULTS, type EvalFlags, SAMPLING_SETTINGS } from './eval-settings.js'
import { findEvaluation } from './find-evaluation.js'
import { openExtractorOf } from './open-extractor.js'
import { evaluationLines, warningLines } from './show-evaluation.js'
import { inEvalFlags, isOfInput } from './eval-words.js'
import { writePage } from './write-page.js'
import { writeStatistics } from './write-statistics.js'

/** Evaluates what flags ask for, as one worker of a job. Returns the exit code; errors are thrown. */
export async function evalFromFlags(
  given: string,
  flags: EvalFlags,
  output: Output,
  job: Job,
  command: string,
): Promise<number> {
  const interruption = job.interruption(() => output.notice('stopping (press Ctrl-C again to quit at once)'))
  try {
    await checkGiven(given, flags)
    // Now: a run's newest evaluation would be the new one afterwards.
    const isTold = flags.compare !== undefined && job.communicator.rank === 0
    const earlier = isTold ? await findEvaluation(flags.compare[0]) : null
    const engine = await openEngine(chosenBackend(flags), { ...flags, workers: job.localSize })
    try {
      // Before the pictures, of which all are read: what is wrong with it is said at once.
      const extractor = await openExtractorOf(flags.extractor ?? EVAL_DEFAULTS.extractor, engine.backend)
      try {
        checkLayer(extractor, flags.layer)
        if (earlier !== null) checkSameFeatures(earlier, extractor, flags)
        const inputs = await openInputs(given, flags, output, interruption.signal)
        try {
          showEngine(engine, output)
          if (job.description !== null) output.line(`workers ${job.description}`)
          const { signal } = interruption
          return await inEvalFlags(() =>
            work({ given, flags, command, output, job, inputs, earlier, engine, extractor, signal }),
          )
        } finally {
          await inputs.close()
        }
      } finally {
        extractor.dispose()
      }
    } finally {
      await engine.backend.dispose()
    }
  } catch (error) {
    const code = interruption.exitCode()
    if (code === null) throw error
    output.notice('stopped; what was computed is kept, and the same command continues')
    return code
  } finally {
    interruption.dispose()
  }
}

/** @throws UsageError for an earlier evaluation on other features, which no new one can be compared with */
function checkSameFeatures({ evaluation }: EvaluationWithRows, extractor: FeatureExtractor, flags: EvalFlags): void {
  const [before, layer] = [evaluation.extractor, flags.layer ?? extractor.defaultLayer]
  if (before.fingerprint === extractor.fingerprint && before.layer === layer) return
  const weights = before.name === extractor.name && before.layer === layer ? ' of other weights or preparation' : ''
  throw new UsageError(
    `--compare ${flags.compare![0]}: it is on the features of ${before.name}, layer ${before.layer}, and this would be on those of ` +
      `${extractor.name}, layer ${layer}${weights}; give the same --extractor and --layer`,
  )
}

/** @throws UsageError for a layer that the extractor does not have */
function checkLayer({ name, layers }: FeatureExtractor, layer: string | undefined): void {
  if (layer === undefined || layers.some((each) => each.name === layer)) return
  const names = layers.map((each) => each.name)
  throw new UsageError(
    `--layer ${layer}: ${name} has no such layer${didYouMean(layer, names)}; its layers are ${names.join(', ')}`,
  )
}

interface Work {
  readonly given: string
  readonly flags: EvalFlags
  /** As it was typed. */
  readonly command: string
  readonly output: Output
  readonly job: Job
  readonly inputs: EvalInputs
  /** What the new evaluation is compared with. */
  readonly earlier: EvaluationWithRows | null
  readonly engine: OpenEngine
  readonly extractor: FeatureExtractor
  readonly signal: AbortSignal
}

async function work(all: Work): Promise<number> {
  const { given, flags, output, job, inputs } = all
  const { communicator } = job
  const asked = flags.out ?? usualPlace(given, inputs)
  const { generated, options, settings } = await judgedOf(all)
  // Rank 0 alone writes, and says what is wrong for all.
  const place = communicator.rank === 0 ? await evalPlace(asked, flags) : null
  const opened = place === null ? null : await openPlace(place, settings)
  try {
    const cache = await sharedText(communicator, place?.cache)
    const store = folderFeatureStore(cache, {
      onDamage: (path, problem) => output.notice(`${path} is damaged (${problem}); it is computed again`),
    })
    const progress = stageProgress(output)
    const full: EvaluateOptions = { ...options, store, onProgress: progress.update }
    const data = inputs.real.source as RealData
    try {
      if (communicator.size > 1) {
        await computeShare(generated, data, full, communicator)
        await communicator.allReduce(Float32Array.of(0)).wait()
      }
      const finish = async () => {
        const products = await float64({ threads: flags.threads ?? 'auto' })
        try {
          const found = await evaluateWithRows(generated, data, { ...full, products })
          progress.stop()
          const told = await tell(all, found, place!.folder, products)
          output.line(await cacheLine(cache))
          return told
        } finally {
          await products.dispose()
        }
      }
      const code = await onRankZero(
        communicator,
        async () => finish(),
        async () => {},
      )
      await opened?.finish()
      return code ?? EXIT.ok
    } finally {
      progress.stop()
    }
  } catch (error) {
    // What was wrong with the input is put right under other settings.
    if (error instanceof UsageError || isOfInput(error)) await opened?.discard()
    throw error
  } finally {
    await opened?.close()
  }
}

/** What is judged and how, with every setting that the results depend on. */
async function judgedOf({ given, flags, output, inputs, engine, extractor, signal }: Work) {
  const { model, pictures, real, training, heldOut } = inputs
  const { seed, batch, classes, layer, measures, count, resamples, level, neighbours } = flags
  const base: EvaluateOptions = {
    extractor,
    signal,
    toPng,
    ...onlyGiven({ layer, measures, count, seed, batchSize: batch }),
    ...(classes === undefined ? {} : { classes: classes.split(',') }),
    ...(training === null ? {} : { training: training.source as PictureSource }),
    ...(heldOut === null ? {} : { heldOut: heldOut.source as PictureSource }),
    isMirrored: inputs.isMirrored,
    allowDuplicates: flags.allowDuplicates === true,
    numResamples: resamples ?? EVAL_DEFAULTS.resamples,
    level: level ?? EVAL_DEFAULTS.level,
    k: neighbours ?? EVAL_DEFAULTS.neighbours,
    names: {
      generated: model === null ? pictures!.name : { name: model.title, kind: 'model' },
      real: real.name,
      ...(training === null ? {} : { training: training.name }),
      ...(heldOut === null ? {} : { heldOut: heldOut.name }),
    },
  }
  const common = {
    'the pictures or the model that are judged': given,
    data: flags.data ?? null,
    train: flags.train ?? null,
    'held-out': flags.heldOut ?? null,
    extractor: extractor.name,
    'the weights of the extractor': extractor.fingerprint,
    layer: layer ?? extractor.defaultLayer,
    measures: measures?.join(',') ?? null,
    count: count ?? null,
    classes: classes ?? null,
    size: flags.size ?? null,
    background: flags.background === undefined ? null : (flags.background ?? 'none'),
    seed: seed ?? 0,
    resamples: base.numResamples,
    level: base.level,
    neighbours: base.k,
  }
  if (model === null) return { generated: pictures!.source as Generated, options: base, settings: common }
  // `seed` and `batchSize` are options of the evaluation itself.
  const { seed: _seed, batchSize: _batch, ...sampling } = storedOptions(SAMPLING_SETTINGS, flags)
  const plan = await planSampling(model, { ...sampling, labels: [0], ...onlyGiven({ seed, batchSize: batch }) })
  checkSampleMemory({
    model: model.description.network ?? model.network,
    isHalf: flags.half !== undefined,
    count: count ?? plan.batchSize,
    batchSize: plan.batchSize,
    isGuided: plan.guidance.scale !== 1,
  })
  const assumed = model.assumptions.length === 0 ? [] : [`assumed: ${model.assumptions.join('; ')}`]
  for (const notice of [...model.notices, ...assumed, ...plan.notices]) output.notice(inFlags(notice))
  const half = flags.half === undefined ? {} : { half: flags.half }
  const autoencoder = await autoencoderDigest(model)
  const pipeline = await createPipeline(model, { backend: engine.backend, ...half })
  const weights = await engineDigest(pipeline.params)
  const { name, instructionSet } = engine.description
  const engineText = [name, instructionSet ?? '', engine.description.precision ?? ''].join(' ').trim()
  const complete = {
    ...sampling,
    steps: plan.steps,
    guidance: plan.guidance.scale,
    ...(plan.sampler === null ? {} : { sampler: plan.sampler }),
  }
  const decides = { weights, autoencoder, engine: engineText, process: plan.process, half: flags.half ?? null }
  const settings: EvalSettings = {
    ...common,
    'the weights of the model': weights,
    'the weights of the autoencoder': autoencoder,
    'the engine': engineText,
    batch: plan.batchSize,
    ...complete,
  }
  return {
    generated: pipeline satisfies EvaluatedPipeline as Generated,
    options: { ...base, sampling: complete, samplingFingerprint: JSON.stringify(decides) },
    settings,
  }
}

/** Those of some values that were given. */
function onlyGiven<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** Writes what was found, and tells it. Returns the exit code. */
async function tell(
  { flags, command, output, extractor, earlier }: Work,
  { evaluation, rows }: EvaluationWithRows,
  folder: string,
  products: Awaited<ReturnType<typeof float64>>,
): Promise<number> {
  await writeRows(join(folder, EVALUATION_FILES.rows), rows)
  await writeWhole(join(folder, EVALUATION_FILES.json), `${JSON.stringify(evaluation, null, 2)}\n`)
  const page = join(folder, EVALUATION_FILES.page)
  await writePage(page, evaluation, command)
  for (const line of ['', ...evaluationLines(evaluation), '']) output.line(line)
  for (const warning of warningLines(evaluation)) output.notice(warning)
  if (flags.writeStatistics !== undefined) {
    if (!('features' in rows.real)) throw new UsageError('--write-statistics: --data holds statistics already')
    const size = evaluation.real.size!
    const { layer } = evaluation.extractor
    await writeStatistics(flags.writeStatistics, { side: rows.real, extractor, layer, size, products })
    output.line(`wrote  ${flags.writeStatistics}`)
  }
  if (earlier !== null) {
    await compareWith(earlier, { evaluation, rows }, folder, { flags, command, products, output })
  }
  output.event({ type: 'evaluation', folder, evaluation: withoutPictures(evaluation) })
  output.line(`wrote  ${page}, and ${EVALUATION_FILES.json} beside it`)
  return EXIT.ok
}

/** An evaluation without its pictures, which are in the file. */
function withoutPictures({ nearest: _nearest, grids: _grids, ...rest }: Evaluation): object {
  return rest
}
