import type { LossLaw } from './loss-law.js'

/** A law from a paper, with what it is about. */
export interface PublishedLaw {
  readonly law: LossLaw
  /** What the law describes; it holds for nothing else. */
  readonly about: string
  readonly unitN: string
  readonly unitD: string
  readonly source: string
}

const LANGUAGE = 'loss of language models in nats a token; it says nothing of pictures'

/**
 * Published laws by name. They are for comparison and for tests: a law of language models predicts no diffusion transformer. Digits are
 * those of the papers, so their objectives lie above that of a fit.
 */
export const PUBLISHED_LAWS = {
  hoffmann2022: {
    law: { E: 1.69, A: 406.4, B: 410.7, alpha: 0.34, beta: 0.28 },
    about: LANGUAGE,
    unitN: 'parameters',
    unitD: 'tokens',
    source: 'Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", eq. 10',
  },
  besiroglu2024: {
    law: { E: 1.8172, A: 482.01, B: 2085.43, alpha: 0.3478, beta: 0.3658 },
    about: `${LANGUAGE}; a refit of the former's points`,
    unitN: 'parameters',
    unitD: 'tokens',
    source: 'Besiroglu et al. 2024, "Chinchilla Scaling: A Replication Attempt", table 1',
  },
} as const satisfies Readonly<Record<string, PublishedLaw>>
