import { type DiTConfig, forward, nullLabel } from '@dit/model'
import { drawScales } from './draw-scales.js'
import { ditParts, type DiTSpec, labelsOf } from './dit.js'
import type { Network } from './network.js'

/** What a student is told of a batch. */
export interface StudentConditions {
  /** `[B]` */
  readonly labels: Int32Array
  /** Scale of guidance for each, `[B]`. */
  readonly guidance: Float32Array
}

/**
 * A class-conditional DiT that takes the scale of guidance as an input, so that one pass gives what two gave its teacher: what `distillation`
 * trains where `guidanceRange` of the configuration says which scales.
 *
 * Labels are never dropped. In training each example has a scale of its own, uniform over the range, from stream `guidance` of the seed
 * and step; elsewhere it is the least, unless `classes.conditions` is given others.
 *
 * @throws RangeError or TypeError for a configuration that cannot be, or that has no `guidanceRange`
 *
 * Meng et al. 2023, "On Distillation of Guided Diffusion Models", section 3.1.
 */
export function studentDiT(config: DiTConfig): Network<StudentConditions> & { readonly spec: DiTSpec } {
  const { guidanceRange } = config
  if (guidanceRange === undefined) {
    throw new RangeError(
      'studentDiT: the configuration must have guidanceRange, the scales of guidance to take; else use dit',
    )
  }
  const told = (
    labels: Int32Array,
    guidance: Float32Array = new Float32Array(labels.length).fill(guidanceRange[0]),
  ) => ({
    labels,
    guidance,
  })
  return {
    ...ditParts(config, { kind: 'dit', config } as const),
    classes: { numClasses: config.numClasses, nullLabel: nullLabel(config), guidanceRange, conditions: told },
    conditions(batch, at) {
      const labels = labelsOf(config, batch)
      return at === null ? told(labels) : told(labels, drawScales(guidanceRange, labels.length, at))
    },
    forward: (params, { xt, timesteps, conditions }, options) =>
      forward(config, params, { xt, timesteps, ...conditions }, options),
  }
}
