import { rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type Communicator,
  CheckpointPartError,
  LOG,
  NonFiniteLossError,
  type RunStore,
  type StepRecord,
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
import { startingWeights, wholeNetwork } from '../fine-tune/whole-network.js'
import { isLora } from '../fine-tune/trained.js'
import { Failure, isSystemError, SharedFailure } from '../terminal/errors.js'
import { explain } from '../terminal/explain.js'
import { formatBytes, formatCount, formatNumber, formatShare } from '../terminal/format.js'
import type { Output } from '../terminal/output.js'
import { type Progress, showProgress } from '../terminal/progress.js'
import { EVENTS_FOLDER } from '../tensorboard/event-file.js'
import { runWriter } from '../tensorboard/run-writer.js'
import type { PreparedRun } from './prepare-training.js'
import { createPaceReport, type FirstPace, type PaceReport, speedText } from '../time/pace-report.js'
import { trainingGrid } from './sample-grid.js'

/** A launcher may end before the last processes of its job do: the next one waits so long for them to give the run back. */
const LOCK_SECONDS = 10

/** How a run ended. */
export interface TrainingEnd {
  readonly step: number
  /** 128 + the signal's number where a signal stopped it before all was done, else null. */
  readonly interrupted: number | null
  /** The grid of samples after the last step was not made. */
  readonly isGridMissing: boolean
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
  const pace = createPaceReport(prepared, { workers: worldSize, heldOut, isShown })
  const reporter = createReporter(prepared, output, communicator, pace)
  const events =
    rank === 0 && config.tensorboard === true ? runWriter(folder, (error) => reporter.eventsFailed(error)) : null
  const interruption = job.interruption(() =>
    reporter.notice('stopping: writing a checkpoint (press Ctrl-C again to quit at once)'),
  )
  const initialWeights = isResume ? null : startingWeights(prepared)
  let hasBegun = false
  try {
    for await (const event of train({
      ...trainOptions(prepared, store, batches, interruption.signal, async (step, path, png) => {
        await events?.grid(step, png)
        reporter.sampled(step, path)
      }),
      ...(heldOut === null
        ? {}
        : { evaluate: { every: config.heldOut!.every, run: (of) => pace.aside(() => heldOut.measures.run(of)) } }),
      communicator,
    })) {
      if (event.type === 'start') {
        hasBegun = true
        events?.begin(event.step)
        if (rank === 0 && initialWeights !== null) await writeStart(store, initialWeights)
        if (rank === 0) await writeConfig(store, config)
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
      const isCovered = event.type === 'checkpoint' && config.from !== undefined && !isLora(config)
      if (isCovered && rank === 0) await store.remove(START_FILE)
      reporter.report(event)
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
    const isUnfinished = step < config.steps || isGridMissing
    return { step, interrupted: isUnfinished && exitCode > 0 ? exitCode : null, isGridMissing }
  } catch (error) {
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
    await examples.close()
  }
}

function heldOutText({ count, train }: HeldOut, { every }: HeldOutConfig): string {
  const measured = Math.min(count, MOST_MEASURED)
  const which = measured < count ? `measuring ${formatCount(measured)} of them` : 'measuring them'
  return `holding out ${formatCount(count)} pictures and training on ${formatCount(train.length)}; ${which} every ${formatCount(every)} steps`
}

type TrainArguments = Parameters<typeof train>[0]

function trainOptions(
  { config, objective, initial, engine: { backend }, allowInexact, isResume, onSaveError }: PreparedRun,
  store: RunStore,
  data: TrainArguments['data'],
  signal: AbortSignal,
  onGrid: (step: number, path: string, png: Uint8Array) => Promise<void>,
): TrainArguments {
  const { recipe, seed, steps, recompute, shardOptimizer, shardCheckpoint, checkpoint, sampleEvery } = config
  const run = async ({ step, ema }: { step: number; ema: TrainEndParams }) => {
    const whole = wholeNetwork(objective, ema)
    try {
      const path = gridPath(step)
      const png = await trainingGrid(config, whole.params, backend, signal)
      await store.write(path, png)
      await onGrid(step, path, png)
    } catch (error) {
      // The run has been told to stop: its checkpoint matters, the grid does not.
      if (!signal.aborted) throw error
    } finally {
      whole.dispose()
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
    checkpoint,
    ...(sampleEvery === null ? {} : { sample: { every: sampleEvery, run, isMade } }),
    signal,
  }
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

interface Reporter {
  report(event: TrainEvent): void
  sampled(step: number, path: string): void
  /** Events for TensorBoard could not be written. */
  eventsFailed(error: unknown): void
  /** The first steps are measured. */
  paced(first: FirstPace): void
  notice(text: string): void
  /** Steps done. */
  step(): number
  /** Step of the last grid of samples; 0 before the first one. */
  sampledStep(): number
  /** Path of the newest checkpoint that is whole, in the run. */
  lastCheckpoint(): string | null
  /** The last checkpoint could not be saved, and the run went on without it. */
  isUnsaved(): boolean
  stop(): void
}

/** Steps over which the shown loss is averaged: single ones jump with the timesteps that they drew. */
const LOSS_WINDOW = 50

function createReporter(
  { folder, config, isResume }: PreparedRun,
  output: Output,
  communicator: Communicator,
  pace: Pick<PaceReport, 'speed'>,
): Reporter {
  const numWorkers = communicator.size
  const losses: number[] = []
  let progress: Progress | null = null
  let step = 0
  let sampledStep = 0
  let lastCheckpoint: string | null = null
  let isLogFailing = false
  let isUnsaved = false
  let began = performance.now()
  /** Seconds for other workers: before the run began, and up to now. */
  let [waitedBefore, waited] = [0, 0]
  /** Share of the run's time that went into waiting for other workers. */
  const waitShare = () => (waited - waitedBefore) / ((performance.now() - began) / 1000)
  const say = (text: string) => (progress === null ? output.line(text) : progress.line(text))
  let heldOut = ''
  const unit = config.data.kind === 'module' ? 'examples' : config.data.kind === 'latents' ? 'latents' : 'pictures'
  const stateText = ({ loss, learningRate, measures }: StepRecord) => {
    if (measures?.heldOut !== undefined) heldOut = `  held-out ${formatNumber(measures.heldOut)}`
    losses.push(loss)
    if (losses.length > LOSS_WINDOW) losses.shift()
    const mean = losses.reduce((total, value) => total + value, 0) / losses.length
    const speed = pace.speed()
    const rate = speed === null ? '' : `  ${speedText(speed, unit)}`
    return `loss ${formatNumber(mean)}  lr ${formatNumber(learningRate)}${heldOut}${rate}`
  }
  return {
    report(event) {
      if (event.type === 'step') {
        step = event.record.step
        waited = event.traffic.waitSeconds
        const waiting = numWorkers > 1 ? `  waiting ${formatShare(waitShare())}` : ''
        progress?.update(step, stateText(event.record) + waiting)
        const { type, record, traffic } = event
        const speed = pace.speed()
        output.event({
          type,
          record,
          ...(speed === null ? {} : { speed }),
          ...(numWorkers > 1 ? { traffic, waitShare: waitShare() } : {}),
        })
        return
      }
      step = event.step
      if (event.type === 'start') {
        began = performance.now()
        waitedBefore = waited = communicator.traffic().waitSeconds
        lastCheckpoint = event.resumedFrom
        for (const notice of event.notices) output.notice(notice)
        if (isResume) {
          const from =
            event.resumedFrom === null ? 'the beginning, because there is no checkpoint yet' : event.resumedFrom
          say(`resuming at step ${step} from ${from}`)
        }
        progress = showProgress(output, { total: config.steps, start: step, unit: 'steps' })
        output.event(event)
      } else if (event.type === 'checkpoint') {
        lastCheckpoint = event.path
        isLogFailing = false
        isUnsaved = false
        say(`checkpoint ${join(folder, event.path)} (${formatBytes(event.bytes)})`)
        output.event(event)
      } else if (event.type === 'loss-scale') {
        say(
          `a gradient of step ${event.step} was too large for half precision; repeating the step with a loss scale of ${event.scale}`,
        )
        output.event(event)
      } else if (event.type === 'save-failed') {
        const { message } = explain(event.error)
        // The log is tried again at every step: telling once is enough.
        if (event.what === 'checkpoint' || !isLogFailing) {
          this.notice(`the ${event.what} of step ${step} could not be saved: ${message}; training continues without it`)
        }
        if (event.what === 'log') isLogFailing = true
        else isUnsaved = true
      } else if (event.type === 'end') {
        if (numWorkers > 1) say(`rank 0 waited for other workers ${formatShare(waitShare())} of the time`)
        output.event({ type: 'end', step, reason: event.reason })
      }
    },
    sampled(at, path) {
      sampledStep = at
      say(`samples ${join(folder, path)}`)
      output.event({ type: 'sample', step: at, path })
    },
    eventsFailed(error) {
      this.notice(
        `events for TensorBoard could not be written: ${explain(error).message}; training continues without them, and a resume adds them`,
      )
    },
    paced({ lines, ...numbers }) {
      for (const line of lines) say(line)
      output.event({ type: 'pace', ...numbers })
    },
    notice: (text) => (progress === null ? output.notice(text) : progress.notice(text)),
    step: () => step,
    sampledStep: () => sampledStep,
    lastCheckpoint: () => lastCheckpoint,
    isUnsaved: () => isUnsaved,
    stop: () => progress?.stop(),
  }
}
