import type { RunStore } from './run-store.js'

export const LOG = 'log.jsonl'

/** One line of `log.jsonl`. It holds no clock time, so that a resumed run ends with the same bytes as an unbroken one. */
export interface StepRecord {
  /** Number of the step, from 1. */
  readonly step: number
  /** Mean over the batch of the quantity that is minimised (weighted where timesteps are drawn by importance). */
  readonly loss: number
  /** Mean squared error, where the loss has it. */
  readonly mse?: number
  /** Variational term in bits, where the loss has it. */
  readonly vb?: number
  /** Euclidean norm of the gradient before clipping. */
  readonly gradNorm: number
  readonly learningRate: number
  readonly emaDecay: number
  /** Examples seen so far, over all passes. */
  readonly examples: number
}

/** Appends records and knows how many bytes the log has. */
export interface LogWriter {
  readonly bytes: number
  append(record: StepRecord): Promise<void>
  flush(): Promise<void>
}

/**
 * Opens the log at the length that a checkpoint remembers: what was written after it is cut, since those steps run again.
 *
 * @throws RangeError when the log is shorter than that
 */
export async function openLog(store: RunStore, bytes: number): Promise<LogWriter> {
  const found = (await store.inspect(LOG))?.bytes ?? 0
  if (found < bytes) {
    throw new RangeError(`${store.location}: ${LOG} has ${found} bytes, but its checkpoint was written after ${bytes}`)
  }
  if (found > bytes) await store.truncate(LOG, bytes)
  let written = bytes
  return {
    get bytes() {
      return written
    },
    async append(record) {
      const line = `${JSON.stringify(record)}\n`
      await store.append(LOG, line)
      written += line.length
    },
    flush: () => store.flush(LOG),
  }
}

/** Records of a log, leaving out a last line that was cut short. */
export function parseLog(text: string): StepRecord[] {
  const lines = text.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as StepRecord)
}
