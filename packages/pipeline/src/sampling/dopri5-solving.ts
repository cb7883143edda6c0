import { dormandPrince } from '@dit/sampler'
import type { Solving } from './solving.js'

/** How `dopri5` solves, which chooses its own steps: apart, so that pages load it only where it is used. */
export function dopri5Solve(options: { rtol?: number; atol?: number; signal?: AbortSignal }): Solving['solve'] {
  return (...at) => dormandPrince(...at, options)
}
