import { randomStream, uniforms } from '@dit/random'
import type { Place } from './objective.js'

/** A scale of guidance for each example of a batch, uniform over a range: stream `guidance` of the seed and step. `[count]` */
export function drawScales(
  [low, high]: readonly [number, number],
  count: number,
  { seed, step, start }: Pick<Place, 'seed' | 'step' | 'start'>,
): Float32Array {
  return uniforms(randomStream(seed, 'guidance', step), count, start).map((draw) => low + draw * (high - low))
}
