/** Seconds since some moment, on a clock that never goes back. */
export type Clock = () => number

export const steadyClock: Clock = () => performance.now() / 1000
