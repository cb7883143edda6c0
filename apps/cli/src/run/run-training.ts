import { rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  CheckpointPartError,
  LOG,
  type Evaluate,
  NonFiniteLossError,
  onRankZero,
  type RunStore,
  train,
  type TrainEvent,
} from '@dit/train-ddp'
import type { Dataset } from '@dit/data'
import { START_FILE } from '@dit/pipeline/node'
import { dispose, type Params } from '@dit/tensor'
import { folderRunStore } from '@dit/train-ddp/node'
import { largest, singleJob } from '../job/job.js'
import { DATA_GRID, dataGrid, hasDataGrid } from './data-grid.js'
import { awaitingLock } from './awaiting-lock.js'
import { openExamples } from './open-examples.js'
import { type HeldOut, type HeldOutConfig, MOST_MEASURED } from './held-out.js'
import { placeIn } from './objective-module.js'
import { namingStore } from './named-errors.js'
import { CONFIG_FILE, type RunConfig } from './run-config.js'
import { keepBestOf, evaluationText, withEvaluation } from '../in-training/evaluation-text.js'
import { reportWriter } from '../in-training/run-report.js'
import { trainedModel } from '../in-training/trained-model.js'
import { openEvaluation, type OpenEvaluation } from '../in-training/open-evaluation.js'
import { startingWeights } from '../fine-tune/whole-network.js'
import { needsBase } from '../fine-tune/trained.js'
import { Failure, isSystemError, SharedFailure } from '../terminal/errors.js'
import { explain } from '../terminal/explain.js'
import { formatCount, formatCounted } from '../terminal/format.js'
import type { Output } from '../terminal/output.js'
import { EVENTS_FOLDER } from '../tensorboard/event-file.js'
import { runWriter } from '../tensorboard/run-writer.js'
import type { PreparedRun } from './prepare-training.js'
import { createPaceReport } from '../time/pace-report.js'
import { withGridPrompts } from './grid-prompts.js'
import { trainingGrid } from './sample-grid.js'
import { createReporter } from './training-reporter.js'

/** A launcher may end before the last processes of its job do: the next one waits so long for them to give the run back. */
const LOCK_SECONDS = 10

/** How a run ended. */
export interface TrainingEnd {
  readonly step: number
  /** 128 + the signal's number where a signal stopped it before all was done, else null. */
  readonly interrupted: number | null
  /** False where it stopped while it prepared, before a step. */
  readonly hasBegun: boolean
  /** The grid of samples after the last step was not made. */
  readonly isGridMissing: boolean
  /** The last step was not evaluated any more: a resumed run does so first. */
  readonly isEvaluationMissing: boolean
}

/** Trains a prepared run to its end, or to the first Ctrl-C, and tells of it. */
export async function runTraining(prepared: PreparedRun, output: Output, job = singleJob()): Promise<TrainingEnd> {
  const { folder, config, isResume } = prepared
  const existed = (await stat(folder).catch(() => null)) !== null
  const { communicator } = job
  const { rank, size: worldSize } = communicator
  const own = folderRunStore(folder, { isMember: rank > 0 })
  const store = awaitingLock(namingStore(own), job.processes === undefined ? 0 : LOCK_SECONDS)
  const { dataset } = prepared.data
  const examples = await openExamples(prepared, { rank, worldSize, steps: config.steps })
  const { batches, heldOut } = examples
  if (heldOut !== null) output.line(heldOutText(heldOut, config.heldOut!))
  const isShown = rank === 0 && (output.isJson || !output.isQuiet)
  let evaluation: OpenEvaluation | null = null
  const pace = createPaceReport(prepared, {
    workers: worldSize,
    heldOut,
    overheadSeconds: () => evaluation?.overheadSeconds ?? 0,
    isShown,
  })
  const reporter = createReporter(prepared, output, communicator, pace)
  const events =
    rank === 0 && config.tensorboard === true ? runWriter(folder, (error) => reporter.eventsFailed(error)) : null
  const report =
    rank === 0 && config.report !== false ? reportWriter(folder, config, (error) => reporter.reportFailed(error)) : null
  const interruption = job.interruption(() =>
    reporter.notice('stopping: writing a checkpoint (press Ctrl-C again to quit at once)'),
  )
  const initialWeights = isResume ? null : startingWeights(prepared)
  const watch = {
    signal: interruption.signal,
    onProgress(step: number, done: number, total: number) {
      reporter.evaluating(step, done, total)
      interruption.exitCode()
    },
  }
  let [hasBegun, isEvaluationMissing] = [false, false]
  try {
    const open = () => openEvaluation(prepared, heldOut, watch, output)
    evaluation = (await onRankZero(communicator, open, async () => {})) ?? null
    if (evaluation !== null) output.line(evaluationText(evaluation))
    for await (const event of train({
      ...trainOptions(prepared, store, batches, interruption.signal, async (step, path, png) => {
        await events?.grid(step, png)
        reporter.sampled(step, path)
        if (step < config.steps) await report?.write('training')
      }),
      evaluate: evaluationsOf(config, { heldOut, evaluation, aside: (work) => pace.aside(work) }),
      communicator,
    })) {
      if (event.type === 'start') {
        hasBegun = true
        events?.begin(event.step)
        if (rank === 0 && initialWeights !== null) await writeStart(store, initialWeights)
        if (rank === 0) await writeConfig(store, withEvaluation(config, evaluation))
        // The trainer has copied them.
        dispose(prepared.initial ?? {})
        if (events !== null) output.line(`events to see with: tensorboard --logdir ${join(folder, EVENTS_FOLDER)}`)
        if (rank === 0 && event.step === 0 && dataset !== null && hasDataGrid(config)) {
          await writeDataGrid(store, heldOut?.train ?? dataset)
          output.line(`data   ${join(folder, DATA_GRID)} shows pictures as the network sees them`)
        }
      }
      if (event.type === 'step') await events?.step(event.record)
      const first = await pace.saw(event)
      if (first !== null) reporter.paced(first)
      // A checkpoint has all that is needed from now on.
      const isCovered = event.type === 'checkpoint' && config.from !== undefined && !needsBase(config)
      if (isCovered && rank === 0) await store.remove(START_FILE)
      reporter.report(event)
      if (event.type === 'end') isEvaluationMissing = event.reason === 'stopped' && event.step === config.steps
      if (event.type === 'step' && event.record.evaluation !== undefined && event.record.step < config.steps) {
        await report?.write('training')
      }
      if (event.type === 'end' && event.step > 0) await report?.write(event.reason)
      // In a thread, a request to stop is seen when it is looked for.
      interruption.exitCode()
    }
    await events?.end()
    const step = reporter.step()
    if ((await largest(communicator, reporter.isUnsaved() ? 1 : 0)) > 0) {
      const last = reporter.lastCheckpoint()
      const saved = last === null ? 'no checkpoint was saved' : `the last checkpoint is ${join(folder, last)}`
      throw new SharedFailure(`the run ended at step ${reporter.step()} before it could save a checkpoint; ${saved}`)
    }
    const isSampled = (await largest(communicator, reporter.sampledStep())) === step
    const isGridMissing = config.sampleEvery !== null && !isSampled
    const exitCode = await largest(communicator, interruption.exitCode() ?? 0)
    const isUnfinished = step < config.steps || isGridMissing || isEvaluationMissing
    const interrupted = isUnfinished && exitCode > 0 ? exitCode : null
    return { step, interrupted, hasBegun, isGridMissing, isEvaluationMissing }
  } catch (error) {
    const stopped = interruption.exitCode()
    if (!hasBegun && stopped !== null && (error as Error).name === 'AbortError')
      return { step: reporter.step(), interrupted: stopped, hasBegun, isGridMissing: false, isEvaluationMissing: false }
    // Before it had begun, whatever is in the folder is of another process.
    if (rank === 0 && !isResume && hasBegun && reporter.step() === 0) await removeBeginnings(folder, existed)
    if (error instanceof NonFiniteLossError && error.lastCheckpoint !== null) {
      const path = error.lastCheckpoint
      throw new SharedFailure(error.message.replace(path, join(folder, path)), { cause: error })
    }
    if (isSystemError(error) || error instanceof CheckpointPartError) {
      const last = reporter.lastCheckpoint()
      const saved = last === null ? 'no checkpoint was saved yet' : `the last good checkpoint is ${join(folder, last)}`
      throw new Failure(`${explain(error).message}; ${saved}`, { cause: error })
    }
    if (config.objective.kind === 'module' && error instanceof Error) {
      const place = placeIn(config.objective.module, error)
      if (place !== '') throw new Failure(`${error.message}${place}`, { cause: error })
    }
    throw error
  } finally {
    reporter.stop()
    interruption.dispose()
    evaluation?.close()
    await examples.close()
  }
}

function heldOutText({ count, train }: HeldOut, { every }: HeldOutConfig): string {
  const measured = Math.min(count, MOST_MEASURED)
  const which = measured < count ? `measuring ${formatCount(measured)} of them` : 'measuring them'
  return `holding out ${formatCounted(count, 'picture', 'pictures')} and training on ${formatCount(train.length)}; ${which} every ${formatCounted(every, 'step', 'steps')}`
}

type TrainArguments = Parameters<typeof train>[0]

function trainOptions(
  {
    config,
    objective,
    data: { dataset },
    initial,
    engine: { backend },
    allowInexact,
    isResume,
    onSaveError,
  }: PreparedRun,
  store: RunStore,
  data: TrainArguments['data'],
  signal: AbortSignal,
  onGrid: (step: number, path: string, png: Uint8Array) => Promise<void>,
): TrainArguments {
  const { recipe, seed, steps, recompute, shardOptimizer, shardCheckpoint, checkpoint, sampleEvery } = config
  const run = async ({ step, ema }: { step: number; ema: TrainEndParams }) => {
    const trained = trainedModel(config, objective, ema, '--sample-every')
    try {
      const path = gridPath(step)
      const png = await trainingGrid(config, await withGridPrompts(trained.model, dataset), backend, signal)
      await store.write(path, png)
      await onGrid(step, path, png)
    } catch (error) {
      // The run has been told to stop: its checkpoint matters, the grid does not.
      if (!signal.aborted) throw error
    } finally {
      trained.dispose()
    }
  }
  const isMade = async (step: number) => (await store.inspect(gridPath(step))) !== null
  return {
    objective,
    ...(initial ? { initial } : {}),
    recipe,
    data,
    backend,
    seed,
    steps,
    store,
    resume: isResume ? 'auto' : 'never',
    allowInexact,
    recompute,
    shardOptimizer,
    shardCheckpoint,
    onSaveError,
    checkpoint: { ...checkpoint, keepBest: keepBestOf(config) },
    ...(sampleEvery === null ? {} : { sample: { every: sampleEvery, run, isMade } }),
    signal,
  }
}

/** Everything that measures a run, on schedules of their own. On other ranks than 0 nothing is called. */
function evaluationsOf(
  config: RunConfig,
  parts: {
    readonly heldOut: HeldOut | null
    readonly evaluation: OpenEvaluation | null
    readonly aside: <T>(work: () => Promise<T>) => Promise<T>
  },
): Evaluate[] {
  const { heldOut, evaluation, aside } = parts
  const every = config.evaluation?.every ?? null
  const run: Evaluate['run'] = (of) => aside(() => evaluation!.run(of))
  return [
    ...(heldOut === null
      ? []
      : [
          {
            every: config.heldOut!.every,
            run: (of: Parameters<typeof run>[0]) => aside(() => heldOut.measures.run(of)),
          },
        ]),
    ...(every === null ? [] : [{ every, run }]),
  ]
}

type TrainEndParams = Extract<TrainEvent, { type: 'end' }>['ema']

function gridPath(step: number): string {
  return `samples/step-${String(step).padStart(7, '0')}.png`
}

/** The weights that a new run begins from, and that its adapters are for. */
async function writeStart(store: RunStore, params: Params): Promise<void> {
  const tensors = Object.entries(params).map(
    ([name, { dtype, shape }]) =>
      [name, { dtype: dtype === 'f64' ? 'F64' : 'F32', shape, data: () => params[name].data() }] as const,
  )
  await store.writeTensors(START_FILE, new Map(tensors), { format: 'pt' })
}

/** `config.json`, whole or not at all. */
async function writeConfig(store: RunStore, config: RunConfig): Promise<void> {
  await store.write(CONFIG_FILE, `${JSON.stringify(config, null, 2)}\n`)
}

/** A grid of training pictures, unless the run has one already. */
async function writeDataGrid(store: RunStore, dataset: Dataset): Promise<void> {
  if ((await store.inspect(DATA_GRID)) === null) await store.write(DATA_GRID, await dataGrid(dataset))
}

/** Removes what a run that failed before its first step was done has made, so that it is not in the way of the next one. */
async function removeBeginnings(folder: string, existed: boolean): Promise<void> {
  for (const name of [CONFIG_FILE, `${CONFIG_FILE}.partial`, LOG, DATA_GRID, START_FILE])
    await rm(join(folder, name), { force: true }).catch(() => {})
  await rmdir(join(folder, dirname(DATA_GRID))).catch(() => {})
  // Of a folder that holds anything else, or that was there before, nothing is removed.
  if (!existed) await rmdir(folder).catch(() => {})
}
