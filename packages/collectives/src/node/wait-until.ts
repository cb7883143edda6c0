import { seconds } from './clock.js'

/** Seconds that the first answer of the others is waited for at least: processes and threads start at their own pace. */
export const START_PATIENCE = 60

/** Seconds after which a waiting thread lets signals and timers in. */
const TURN = 0.01

export interface WaitOptions {
  /** Gives the processor away for a moment. */
  readonly pause: () => void
  /** Seconds without an end after which `onLost` is called. */
  readonly patience: number
  /** Throws an error that names who is missing. */
  readonly onLost: () => never
  /** Called now and then meanwhile. */
  readonly onTurn?: () => void
}

/**
 * Waits for something that other workers do, checking often, since the end of a short transfer is worth noticing at once.
 *
 * @returns seconds waited
 */
export async function waitUntil(isDone: () => boolean, options: WaitOptions): Promise<number> {
  if (isDone()) return 0
  const began = seconds()
  while (!isDoneInTurn(isDone, began, options)) {
    options.onTurn?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return seconds() - began
}

/** The same without a turn of the event loop. */
export function blockUntil(isDone: () => boolean, options: WaitOptions): number {
  if (isDone()) return 0
  const began = seconds()
  while (!isDoneInTurn(isDone, began, options)) options.onTurn?.()
  return seconds() - began
}

/** Waits for `TURN` seconds at most. */
function isDoneInTurn(isDone: () => boolean, began: number, { pause, patience, onLost }: WaitOptions): boolean {
  const turn = seconds()
  for (;;) {
    if (isDone()) return true
    const now = seconds()
    if (now - began > patience) onLost()
    if (now - turn > TURN) return false
    pause()
  }
}
