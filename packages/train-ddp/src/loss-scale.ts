import type { Backend } from '@dit/tensor'

/** The scale of an engine that rounds gradients to half precision, and how long it has held. */
export interface LossScale {
  readonly value: number
  /** Steps since it last changed. */
  readonly goodSteps: number
}

/** Steps without overflow after which a larger scale is tried. */
export const GROWTH_INTERVAL = 2000
const LARGEST = 65_536

/** That of a new run: null where the engine has none. */
export function initialLossScale({ lossScale }: Backend): LossScale | null {
  return lossScale === undefined ? null : { value: lossScale, goodSteps: 0 }
}

/** After a gradient that was not finite: half of it, or null where that is no way out. */
export function shrunkLossScale(scale: LossScale | null): LossScale | null {
  return scale === null || scale.value <= 1 ? null : { value: scale.value / 2, goodSteps: 0 }
}

/**
 * After a step whose gradient was finite: twice as much every `GROWTH_INTERVAL` steps, so that small gradients keep their bits.
 *
 * Micikevicius et al. 2018, "Mixed Precision Training", section 3.2 (there the step that overflows is left out; here it is
 * repeated, so that runs have the same examples).
 */
export function grownLossScale({ value, goodSteps }: LossScale): LossScale {
  if (goodSteps + 1 < GROWTH_INTERVAL) return { value, goodSteps: goodSteps + 1 }
  return { value: Math.min(2 * value, LARGEST), goodSteps: 0 }
}
