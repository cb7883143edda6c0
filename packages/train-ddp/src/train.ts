import { anyRank, CommunicationError, type Communicator, onRankZero } from '@dit/collectives'
import type { Params } from '@dit/tensor'
import { checkBatch, rowsOf } from './batch.js'
import { type BestCheckpoint, isBetter, type KeepBest, writeBest } from './checkpoint/best.js'
import { pruneCheckpoints } from './checkpoint/prune.js'
import { saveCheckpoint } from './checkpoint/save.js'
import { saveShards } from './checkpoint/save-shards.js'
import { evaluationsOf, withMeasures } from './evaluate.js'
import type { TrainEvent } from './events.js'
import { shrunkLossScale } from './loss-scale.js'
import { checkOptions, type TrainOptions } from './options.js'
import { checkReplicas } from './parallel/check-replicas.js'
import { wholeEma } from './parallel/gather-ema.js'
import { type Beginning, countersOf, resume } from './resume.js'
import { checkFinite } from './run/check-record.js'
import type { StepRecord } from './run/log.js'
import { createState, disposeState } from './state.js'
import { trainStep } from './step.js'

/**
 * Trains an objective and reports every step. A run that was stopped anywhere, also by a power cut, and is called again with the
 * same options continues from its newest checkpoint, and ends in the same bytes as an unbroken one: parameters, averages,
 * the optimizer's state and log.
 *
 * ```js
 * const objective = classConditional(ditConfig('DiT-S/2', { inputSize: 32, numClasses: 10 }))
 * for await (const event of train({ objective, recipe, data, backend, seed: 0, steps: 1000 })) {
 *   if (event.type === 'step') console.log(event.record.loss)
 * }
 * ```
 *
 * @throws RangeError or TypeError for options and data that cannot be; NonFiniteLossError; InexactResumeError;
 *   DamagedCheckpointError; RunLockedError while another process writes to the store
 *
 * Peebles & Xie 2022, section 4, whose settings are `paperRecipe`.
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainEvent, void, void> {
  const setting = checkOptions(options)
  const { communicator, steps, recipe } = setting
  const { data, signal, checkpoint, sample } = options
  const evaluations = evaluationsOf(options.evaluate)
  const keepBest = checkpoint?.keepBest ?? null
  const store = communicator.rank === 0 ? options.store : undefined
  const savesAnything = await anyRank(communicator, store !== undefined)
  const savesShards = options.shardCheckpoint === true && communicator.size > 1
  if (savesAnything && savesShards && (await anyRank(communicator, options.store === undefined))) {
    throw new RangeError('train: shardCheckpoint needs the store on every rank')
  }
  const unlock = await store?.lock()
  const state = createState(setting)
  try {
    const beginning = savesAnything ? await resume(options, setting, store, state) : NOTHING_SAVED
    const { log, notices } = beginning
    if (log !== null) await writeBest(store!, state.best)
    let lastCheckpoint = beginning.path
    yield { type: 'start', step: state.step, steps, resumedFrom: lastCheckpoint, notices }

    const saveFailed = (what: 'log' | 'checkpoint', error: unknown): TrainEvent => {
      if (options.onSaveError !== 'continue' || error instanceof CommunicationError) throw error
      return { type: 'save-failed', what, step: state.step, error }
    }
    const saving = {
      communicator,
      store: savesShards ? options.store : store,
      state,
      counters: () => ({ ...countersOf(setting, state), logBytes: log!.bytes }),
      before: () => log!.flush(),
      async after() {
        await writeBest(store!, state.best)
        const { keepLast: last = 3, keepEvery: every = null } = checkpoint ?? {}
        await pruneCheckpoints(store!, { last, every, best: state.best?.step ?? null })
      },
    }
    const save = async function* (best = state.best): AsyncGenerator<TrainEvent, void, void> {
      if (!savesAnything || state.step === 0) return
      await checkReplicas(communicator, state.trainable.segments)
      const bestBefore = state.best
      state.best = best
      try {
        const saved = await (savesShards ? saveShards : saveCheckpoint)(saving)
        if (saved === undefined) return
        lastCheckpoint = saved.path
        yield { type: 'checkpoint', step: state.step, ...saved, isBest: best?.step === state.step }
      } catch (error) {
        state.best = bestBefore
        yield saveFailed('checkpoint', error)
      }
    }

    const isDue = (every: number | undefined) => every !== undefined && state.step % every === 0
    const isDueOrLast = (every: number | undefined) => isDue(every) || state.step === steps
    /** Runs `work` on rank 0 with the averaged parameters. */
    const onEma = async <T>(work: (context: { step: number; ema: Params }) => Promise<T>): Promise<T | undefined> => {
      const ema = await wholeEma(state, communicator.rank, setting.backend)
      const onZero = async () => work({ step: state.step, ema: ema.params! })
      return onRankZero(communicator, onZero, async () => {}).finally(() => ema.dispose())
    }
    const sampled = async function* (): AsyncGenerator<TrainEvent, void, void> {
      if (sample === undefined || state.step === 0 || !isDueOrLast(sample.every)) return
      await onEma((context) => sample.run(context))
      yield { type: 'sample', step: state.step }
    }
    /** The best checkpoint, if that of this step is to be. */
    const bestWith = ({ measures = {} }: StepRecord): BestCheckpoint | null => {
      const value = keepBest === null ? undefined : measures[keepBest.measure]
      if (value === undefined || !isBetter(keepBest!, value, state.best)) return null
      const { measure, better } = keepBest!
      return { step: state.step, measure, value, better }
    }
    /** The step whose state and log are saved; -1 while the log has more. */
    let savedStep = state.step
    /** Measures, logs, saves and samples what a step has made. */
    const finish = async function* (record: StepRecord): AsyncGenerator<TrainEvent, void, void> {
      const due = evaluations.filter(({ every }) => isDueOrLast(every))
      const full = await withMeasures(record, due, { communicator, signal, onEma })
      if (full !== null && due.length > 0 && due.length === evaluations.length)
        checkBestMeasure(keepBest, full, communicator)
      state.pending = full === null ? record : null
      if (full === null) return
      try {
        await log?.append(full)
      } catch (error) {
        yield saveFailed('log', error)
      }
      savedStep = -1
      yield { type: 'step', record: full, traffic: communicator.traffic() }
      const best = bestWith(full)
      const isBest = keepBest !== null && due.length > 0 && (await anyRank(communicator, best !== null))
      if (isBest || isDueOrLast(checkpoint?.every)) {
        yield* save(best ?? state.best)
        savedStep = state.step
      }
      yield* sampled()
    }

    const isMade = communicator.rank === 0 && (await sample?.isMade?.(state.step)) === true
    if (state.pending !== null) yield* finish(state.pending)
    else if (state.step > 0 && !(await anyRank(communicator, isMade))) yield* sampled()
    const isToStop = async () => state.pending !== null || (await anyRank(communicator, signal?.aborted === true))
    while (state.step < steps && !(await isToStop())) {
      const [start, end] = rowsOf(communicator.rank, communicator.size, recipe.batchSize)
      const batch = await data.rows(state.step, start, end, recipe.batchSize)
      checkBatch(batch, end - start)
      setting.objective.checkBatch(batch)
      const record = await trainStep(setting, state, { batch, start })
      const scale =
        Number.isFinite(record.loss) && !Number.isFinite(record.gradNorm) ? shrunkLossScale(state.lossScale) : null
      if (scale !== null) {
        state.lossScale = scale
        yield { type: 'loss-scale', step: record.step, scale: scale.value }
        continue
      }
      checkFinite(record, lastCheckpoint)
      yield* finish(record)
    }
    if (savedStep !== state.step) yield* save()
    const reason = state.step < steps || state.pending !== null ? 'stopped' : 'finished'
    const { params } = state
    const ema = await wholeEma(state, communicator.rank, setting.backend)
    try {
      yield { type: 'end', step: state.step, reason, params, ema: ema.params ?? {} }
    } finally {
      ema.dispose()
    }
  } finally {
    disposeState(state)
    await unlock?.()
  }
}

/** Throws on rank 0 where everything was measured but what decides which checkpoint is best. */
function checkBestMeasure(keepBest: KeepBest | null, { measures = {} }: StepRecord, { rank }: Communicator): void {
  if (keepBest === null || rank > 0 || keepBest.measure in measures) return
  throw new RangeError(
    `train: checkpoint.keepBest is by ${keepBest.measure}, but evaluate measures only ${Object.keys(measures).join(', ')}`,
  )
}

const NOTHING_SAVED: Beginning = { log: null, path: null, notices: [] }
