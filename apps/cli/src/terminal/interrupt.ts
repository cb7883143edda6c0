/** Signals that ask to stop, and their numbers. SIGUSR2 is one that MPI launchers hand on without killing afterwards. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGUSR2: 12 } as const

/** A request to stop that came as a signal. */
export interface Interruption {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  /** 128 + the signal's number once one came, else null. */
  exitCode(): number | null
  /** Gives the signals back. */
  dispose(): void
}

/**
 * Turns the first Ctrl-C (or SIGTERM, SIGHUP, SIGUSR2) into an abort, so that work can be saved; a second one quits at once.
 *
 * @param onFirst tells the user what happens now
 */
export function onInterrupt(onFirst: () => void): Interruption {
  const controller = new AbortController()
  let exitCode: number | null = null
  const listeners = Object.entries(SIGNALS).map(([name, number]) => {
    const listener = () => {
      if (exitCode !== null) process.exit(128 + number)
      exitCode = 128 + number
      onFirst()
      controller.abort()
    }
    process.on(name, listener)
    return () => process.off(name, listener)
  })
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    dispose: () => listeners.forEach((remove) => remove()),
  }
}
