import type { StepRecord } from '@dit/train-ddp'
import { type EventFile, openEventFile, SAMPLES_TAG } from './event-file.js'
import { scalarsOf } from './run-events.js'

/** Writes a run's events while it trains. */
export interface RunWriter {
  /** The run goes on after this step: later events are of another course. */
  begin(step: number): void
  step(record: StepRecord): Promise<void>
  /** A grid of samples, PNG. */
  grid(step: number, png: Uint8Array): Promise<void>
  /** Whatever is missing up to the step at which the run began is written, if nothing else was. */
  end(): Promise<void>
}

/**
 * The events of a run in a folder. Its first event opens the file, so that a run that fails before leaves none. An error is told once;
 * training goes on without events, which a resume adds.
 *
 * @param onError is told of what could not be written
 */
export function runWriter(folder: string, onError: (error: unknown) => void): RunWriter {
  let from = 0
  let file: EventFile | null = null
  let isBroken = false
  const write = async (work: (file: EventFile) => Promise<void>) => {
    if (isBroken) return
    try {
      file ??= await openEventFile(folder, from)
      await work(file)
    } catch (error) {
      isBroken = true
      onError(error)
    }
  }
  return {
    begin(step) {
      from = step
    },
    step: (record) => write((open) => open.append({ step: record.step, scalars: scalarsOf(record) })),
    async grid(step, png) {
      // A file that is opened now, at the step that a resumed run goes on from, has taken the grid from its folder already.
      if (file === null && step <= from) return write(async () => {})
      return write((open) => open.append({ step, images: { [SAMPLES_TAG]: png } }))
    },
    end: () => write(async () => {}),
  }
}
