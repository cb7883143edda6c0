import type { RunStore } from './run-store.js'

export const LOG = 'log.jsonl'

/** One line of `log.jsonl`. It holds no clock time, so that a resumed run ends with the same bytes as an unbroken one. */
export interface StepRecord {
  /** Number of the step, from 1. */
  readonly step: number
  /** Mean over the batch of the quantity that is minimised (weighted where timesteps are drawn by importance). */
  readonly loss: number
  /** Mean squared error, where the objective has it. */
  readonly mse?: number
  /** Variational term in bits, where the objective has it. */
  readonly vb?: number
  /** Euclidean norm of the gradient before clipping. */
  readonly gradNorm: number
  readonly learningRate: number
  readonly emaDecay: number
  /** By which gradients were multiplied before they were rounded, where the engine does so. */
  readonly lossScale?: number
  /** Examples seen so far, over all passes. */
  readonly examples: number
  /** What `evaluate` has measured after this step, by name. */
  readonly measures?: Readonly<Record<string, number>>
  /** What `evaluate` says of its measures, such as how many samples they are of: plain data. */
  readonly evaluation?: Readonly<Record<string, unknown>>
  /** Means of the objective's other terms. */
  readonly [term: string]: number | Readonly<Record<string, unknown>> | undefined
}

/** Appends records and knows how many bytes the log has. A record that could not be written is written with the next. */
export interface LogWriter {
  readonly bytes: number
  append(record: StepRecord): Promise<void>
  flush(): Promise<void>
}

/** Where a log was when a checkpoint was written. */
export interface LogMark {
  readonly bytes: number
  /** The last step in it; 0 for a log that begins. */
  readonly step: number
}

/**
 * Opens the log at a mark: what was written after it is cut, since those steps run again. A log that has a problem
 * there is cut to its whole lines before it.
 */
export async function openLog(store: RunStore, mark: LogMark): Promise<LogWriter> {
  const contents = await readLog(store)
  const isWhole = problemOf(contents, mark) === null
  let written = isWhole ? mark.bytes : contents.subarray(0, mark.bytes).lastIndexOf(NEWLINE) + 1
  if (contents.length > written) await store.truncate(LOG, written)
  // What could not be written yet, and whether a part of it may have been.
  let [waiting, isCut] = ['', false]
  const write = async () => {
    if (waiting === '') return
    if (isCut) await store.truncate(LOG, written)
    isCut = true
    await store.append(LOG, waiting)
    written += new TextEncoder().encode(waiting).length
    ;[waiting, isCut] = ['', false]
  }
  return {
    get bytes() {
      return written
    },
    append(record) {
      waiting += `${JSON.stringify(record)}\n`
      return write()
    },
    async flush() {
      await write()
      await store.flush(LOG)
    },
  }
}

/** Why a log is not the one that a checkpoint was written with, or null. Changes nothing. */
export async function logProblem(store: RunStore, mark: LogMark): Promise<string | null> {
  return problemOf(await readLog(store), mark)
}

const NEWLINE = 10

async function readLog(store: RunStore): Promise<Uint8Array> {
  return (await store.read(LOG)) ?? new Uint8Array()
}

function problemOf(contents: Uint8Array, { bytes, step }: LogMark): string | null {
  if (contents.length < bytes) {
    return `${LOG} has ${contents.length} bytes, but its checkpoint was written after ${bytes}`
  }
  if (step === 0) return null
  const text = new TextDecoder().decode(contents.subarray(0, bytes))
  const last = text.slice(text.lastIndexOf('\n', text.length - 2) + 1)
  try {
    if (text.endsWith('\n') && (JSON.parse(last) as StepRecord).step === step) return null
  } catch {
    // A line that is no JSON is not that of the step either.
  }
  return `${LOG} does not end with step ${step} where its checkpoint was written`
}

/** Records of a log, leaving out a last line that was cut short. */
export function parseLog(text: string): StepRecord[] {
  const lines = text.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as StepRecord)
}
