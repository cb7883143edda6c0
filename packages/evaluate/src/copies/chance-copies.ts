import type { Memorisation } from '../evaluation.js'

/** Share of held-out pictures that are nearer to a training picture than the threshold. */
export const HELD_OUT_SHARE = 0.01

/** What chance gives a model that copies nothing. */
export interface ChanceCopies {
  /** The share of near copies that is expected: 0.01 of many held-out pictures, more of few. */
  readonly expected: number
  /** The largest share that is no sign of copying: a sound model has more in one evaluation of 40. */
  readonly most: number
}

const TAIL = 1 / 40

/**
 * The share of near copies of a model whose samples are as far from training pictures as held-out pictures are.
 *
 * The threshold is about the r-th smallest of H held-out distances, r = 1 + 0.01 (H - 1), so each of N samples is below it with a
 * probability that is Beta(r, H + 1 - r), and their number is beta-binomial. With 50 held-out pictures 3 % are expected, and 9 % are
 * chance.
 */
export function chanceCopies({
  numSamples: N,
  numHeldOut: H,
}: Pick<Memorisation, 'numSamples' | 'numHeldOut'>): ChanceCopies {
  const r = 1 + HELD_OUT_SHARE * (H - 1)
  const b = H + 1 - r
  // Logarithms: the probability of none of many samples is less than the smallest double.
  let logarithm = 0
  for (let j = 0; j < N; j++) logarithm += Math.log((b + j) / (r + b + j))
  let below = 0
  let most = 0
  for (; most < N; most++) {
    below += Math.exp(logarithm)
    if (below >= 1 - TAIL) break
    logarithm += Math.log(((N - most) * (most + r)) / ((most + 1) * (N - most - 1 + b)))
  }
  return { expected: r / (H + 1), most: most / N }
}
