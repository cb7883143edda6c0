/** Seconds since some moment: how long others are waited for. No result of training depends on it. */
export function seconds(): number {
  // oxlint-disable-next-line no-restricted-properties -- a wait without an end needs a clock
  return performance.now() / 1000
}
