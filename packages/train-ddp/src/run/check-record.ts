import { NonFiniteLossError } from '../events.js'
import type { StepRecord } from './log.js'

/** Throws unless a record can hold what `evaluate` gave: numbers, as JSON knows them. */
export function checkMeasures(measures: unknown): asserts measures is Readonly<Record<string, number>> {
  if (typeof measures !== 'object' || measures === null) {
    throw new TypeError('train: evaluate must give numbers by name (it gave none)')
  }
  const wrong = Object.entries(measures).find(([, value]) => !Number.isFinite(value))
  if (wrong !== undefined) throw new RangeError(`train: evaluate gave ${wrong[0]} as ${String(wrong[1])}`)
}

/** Throws NonFiniteLossError where a step went wrong. */
export function checkFinite({ step, loss, gradNorm }: StepRecord, lastCheckpoint: string | null): void {
  if (!Number.isFinite(loss)) throw new NonFiniteLossError(step, `the loss is ${loss}`, lastCheckpoint)
  if (Number.isFinite(gradNorm)) return
  throw new NonFiniteLossError(step, `the norm of the gradient is ${gradNorm}`, lastCheckpoint)
}
