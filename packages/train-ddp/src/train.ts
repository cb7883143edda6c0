import { anyRank, CommunicationError, onRankZero } from '@dit/collectives'
import type { Params } from '@dit/tensor'
import { checkBatch, rowsOf } from './batch.js'
import { pruneCheckpoints } from './checkpoint/prune.js'
import { saveCheckpoint } from './checkpoint/save.js'
import { saveShards } from './checkpoint/save-shards.js'
import type { TrainEvent } from './events.js'
import { shrunkLossScale } from './loss-scale.js'
import { checkOptions, type TrainOptions } from './options.js'
import { checkReplicas } from './parallel/check-replicas.js'
import { wholeEma } from './parallel/gather-ema.js'
import { type Beginning, countersOf, resume } from './resume.js'
import { checkFinite, checkMeasures } from './run/check-record.js'
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
  const { data, signal, checkpoint, sample, evaluate } = options
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
      after: () => pruneCheckpoints(store!, { last: checkpoint?.keepLast ?? 3, every: checkpoint?.keepEvery ?? null }),
    }
    const save = async function* (): AsyncGenerator<TrainEvent, void, void> {
      if (!savesAnything || state.step === 0) return
      await checkReplicas(communicator, state.trainable.segments)
      try {
        const saved = await (savesShards ? saveShards : saveCheckpoint)(saving)
        if (saved === undefined) return
        lastCheckpoint = saved.path
        yield { type: 'checkpoint', step: state.step, ...saved }
      } catch (error) {
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
    const measured = async (record: StepRecord): Promise<StepRecord> => {
      if (evaluate === undefined || !isDueOrLast(evaluate.every)) return record
      const measures = await onEma((context) => evaluate.run(context))
      if (communicator.rank > 0) return record
      checkMeasures(measures)
      return { ...record, measures }
    }

    const isMade = communicator.rank === 0 && (await sample?.isMade?.(state.step)) === true
    if (state.step > 0 && !(await anyRank(communicator, isMade))) yield* sampled()
    let savedStep = state.step
    while (state.step < steps && !(await anyRank(communicator, signal?.aborted === true))) {
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
      const full = await measured(record)
      try {
        await log?.append(full)
      } catch (error) {
        yield saveFailed('log', error)
      }
      yield { type: 'step', record: full, traffic: communicator.traffic() }
      if (isDueOrLast(checkpoint?.every)) {
        yield* save()
        savedStep = state.step
      }
      yield* sampled()
    }
    if (savedStep !== state.step) yield* save()
    const reason = state.step < steps ? 'stopped' : 'finished'
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

const NOTHING_SAVED: Beginning = { log: null, path: null, notices: [] }
