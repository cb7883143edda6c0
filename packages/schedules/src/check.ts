/** Throws unless `numTimesteps` is a positive integer. */
export function checkNumTimesteps(caller: string, numTimesteps: number): void {
  if (!Number.isInteger(numTimesteps) || numTimesteps < 1) {
    throw new RangeError(`${caller}: numTimesteps must be a positive integer (got ${numTimesteps})`)
  }
}

/** Throws unless there is at least one beta and every beta lies in (0, 1]; `hint` ends the message. */
export function checkBetas(caller: string, betas: ArrayLike<number>, hint = ''): void {
  if (betas.length === 0) throw new RangeError(`${caller}: betas must hold at least one step (got none)`)
  for (let i = 0; i < betas.length; i++) {
    if (!(betas[i] > 0 && betas[i] <= 1)) {
      throw new RangeError(`${caller}: betas must lie in (0, 1] (betas[${i}] of ${betas.length} is ${betas[i]})${hint}`)
    }
  }
}
