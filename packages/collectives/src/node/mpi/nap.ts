/** Never changes. */
const NOTHING = new Int32Array(new SharedArrayBuffer(4))

/** Sleeps, without a turn of the event loop. */
export function nap(milliseconds: number): void {
  Atomics.wait(NOTHING, 0, 0, milliseconds)
}
