import type { Communicator, StepRecord, TrainEvent } from '@dit/train-ddp'
import { join } from 'node:path'
import { explain } from '../terminal/explain.js'
import { measuredText } from '../in-training/evaluation-text.js'
import { formatBytes, formatCount, formatNumber, formatShare } from '../terminal/format.js'
import type { Output } from '../terminal/output.js'
import { type Progress, showProgress } from '../terminal/progress.js'
import type { FirstPace, PaceReport } from '../time/pace-report.js'
import { speedText } from '../time/pace-report.js'
import type { PreparedRun } from './prepare-training.js'

/** Tells of a training, on a terminal, in a pipe or as JSON. */
export interface Reporter {
  report(event: TrainEvent): void
  sampled(step: number, path: string): void
  /** Samples that an evaluation has drawn. */
  evaluating(step: number, done: number, total: number): void
  /** Events for TensorBoard could not be written. */
  eventsFailed(error: unknown): void
  /** The page of the run could not be written. */
  reportFailed(error: unknown): void
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

/** The reporter of a run; rank 0 has the output that shows anything. */
export function createReporter(
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
  let [heldOut, evaluated] = ['', '']
  const unit = config.data.kind === 'module' ? 'examples' : config.data.kind === 'latents' ? 'latents' : 'pictures'
  const stateText = ({ loss, learningRate, measures }: StepRecord) => {
    if (measures?.heldOut !== undefined) heldOut = `  held-out ${formatNumber(measures.heldOut)}`
    const first = measures?.[config.evaluation?.measures[0] ?? '']
    if (first !== undefined) evaluated = `  ${config.evaluation!.measures[0]} ${formatNumber(first)}`
    losses.push(loss)
    if (losses.length > LOSS_WINDOW) losses.shift()
    const mean = losses.reduce((total, value) => total + value, 0) / losses.length
    const speed = pace.speed()
    const rate = speed === null ? '' : `  ${speedText(speed, unit)}`
    return `loss ${formatNumber(mean)}  lr ${formatNumber(learningRate)}${heldOut}${evaluated}${rate}`
  }
  return {
    report(event) {
      if (event.type === 'step') {
        step = event.record.step
        waited = event.traffic.waitSeconds
        const waiting = numWorkers > 1 ? `  waiting ${formatShare(waitShare())}` : ''
        progress?.update(step, stateText(event.record) + waiting)
        const evaluated = measuredText(event.record)
        if (evaluated !== null) say(`evaluation at step ${formatCount(step)}: ${evaluated}`)
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
        const best = event.isBest ? `, the best so far by ${config.evaluation?.keepBest}` : ''
        say(`checkpoint ${join(folder, event.path)} (${formatBytes(event.bytes)})${best}`)
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
    evaluating(at, done, total) {
      // The step is not logged yet.
      progress?.update(at - 1, `evaluating: ${formatCount(done)} of ${formatCount(total)} samples`)
    },
    eventsFailed(error) {
      this.notice(
        `events for TensorBoard could not be written: ${explain(error).message}; training continues without them, and a resume adds them`,
      )
    },
    reportFailed(error) {
      this.notice(`report.html could not be written: ${explain(error).message}; training continues without it`)
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
