/**
 * The shift of `shiftTime` for sigmas, in the form that depends on the size of the image:
 *
 *   sigma' = m / (m + 1 / sigma - 1),        m = e^mu (`exponential`) or mu (`linear`)
 *
 * @param mu such as `dynamicShift` gives
 */
export function dynamicShiftSigma(sigma: number, mu: number, kind: 'exponential' | 'linear' = 'exponential'): number {
  const m = kind === 'exponential' ? Math.exp(mu) : mu
  return m / (m + (1 / sigma - 1))
}

/** Options of `dynamicShift`, with the values of FLUX. */
export interface DynamicShiftOptions {
  /** mu for an image of `baseTokens` tokens (default 0.5 at 256). */
  readonly baseShift?: number
  readonly baseTokens?: number
  /** mu for an image of `maxTokens` tokens (default 1.15 at 4096). */
  readonly maxShift?: number
  readonly maxTokens?: number
}

/**
 * The shift mu for an image of so many tokens, on the line through two of them.
 *
 * @example
 * dynamicShift(1024) // 0.63
 */
export function dynamicShift(numTokens: number, options: DynamicShiftOptions = {}): number {
  const { baseShift = 0.5, maxShift = 1.15, baseTokens = 256, maxTokens = 4096 } = options
  const slope = (maxShift - baseShift) / (maxTokens - baseTokens)
  return slope * numTokens + (baseShift - slope * baseTokens)
}

/**
 * Stretches falling sigmas so that the last becomes `terminal`; a sigma of 1 stays.
 *
 *   1 - sigma' = (1 - sigma) (1 - terminal) / (1 - last)
 *
 * @throws RangeError where the last sigma is 1
 */
export function stretchToTerminal(sigmas: Float64Array, terminal: number): Float64Array {
  const last = sigmas[sigmas.length - 1]
  if (!(last < 1)) throw new RangeError(`stretchToTerminal: the last sigma must be below 1 (got ${last})`)
  const factor = (1 - last) / (1 - terminal)
  return sigmas.map((sigma) => 1 - (1 - sigma) / factor)
}
