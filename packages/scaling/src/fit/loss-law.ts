/** How a loss falls with the size of a network and the data it has seen: `E + A / n^alpha + B / d^beta`. */
export interface LossLaw {
  /** What no size and no data take away. */
  readonly E: number
  readonly A: number
  readonly B: number
  readonly alpha: number
  readonly beta: number
}

/**
 * Loss that a law gives for size `n` and data `d`.
 *
 *   loss = E + A / n^alpha + B / d^beta
 *
 * Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", eq. 2.
 */
export function lossAt({ E, A, B, alpha, beta }: LossLaw, n: number, d: number): number {
  return E + A * n ** -alpha + B * d ** -beta
}

/** With compute proportional to `n d`, the best `n` grows as compute to this power: `beta / (alpha + beta)`. */
export function sizeExponent({ alpha, beta }: LossLaw): number {
  return beta / (alpha + beta)
}

/** The best use of an amount of compute. */
export interface Allocation {
  readonly n: number
  readonly d: number
  readonly compute: number
  readonly loss: number
}

/**
 * Size and data that give the smallest loss for compute `c = cost n d`.
 *
 *   n = G (c / cost)^(beta / (alpha + beta))     G = (alpha A / (beta B))^(1 / (alpha + beta))     d = c / (cost n)
 *
 * For candidates whose cost is not proportional to their size, such as transformers of several patch sizes, use `rankCandidates`.
 *
 * @param compute  in the units of `cost`
 * @param cost     compute of one unit of size and one of data: 6 for FLOPs of parameters and tokens; default 6
 * @throws RangeError where `compute` or `cost` is not above 0, or a term of the law does not fall
 *
 * Hoffmann et al. 2022, eq. 4.
 */
export function allocateCompute(law: LossLaw, compute: number, cost = 6): Allocation {
  requirePositive('allocateCompute', { compute, cost })
  const { A, B, alpha, beta } = law
  for (const [name, value] of Object.entries({ A, B, alpha, beta })) {
    if (!(value > 0 && Number.isFinite(value)))
      throw new RangeError(`allocateCompute: ${name} of the law must be above 0, so that the loss falls (${value})`)
  }
  const product = compute / cost
  const balance = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta))
  const n = balance * product ** sizeExponent(law)
  const d = product / n
  return { n, d, compute, loss: lossAt(law, n, d) }
}

/**
 * The smallest compute with which a law reaches a loss, and how to spend it; the inverse of `allocateCompute`.
 *
 * @throws RangeError for a loss that the law never reaches (`E` or less), or where a term of the law does not fall
 */
export function computeForLoss(law: LossLaw, loss: number, cost = 6): Allocation {
  requirePositive('computeForLoss', { loss, cost })
  if (loss <= law.E) throw new RangeError(`computeForLoss: the law never reaches ${loss}; its floor E is ${law.E}`)
  // Along the best path both terms fall as one power of compute, so that the excess does.
  const unit = allocateCompute(law, cost, cost)
  const exponent = (law.alpha * law.beta) / (law.alpha + law.beta)
  const compute = cost * ((unit.loss - law.E) / (loss - law.E)) ** (1 / exponent)
  return allocateCompute(law, compute, cost)
}

/** A network that could be trained. */
export interface Candidate {
  /** Its size, in the units of the law. */
  readonly n: number
  /** What training on one unit of data costs: multiply-adds, or seconds. */
  readonly costPerExample: number
}

/** What a budget gives with a candidate. */
export interface CandidateOutcome<T extends Candidate> {
  readonly candidate: T
  readonly d: number
  readonly loss: number
}

/**
 * What each candidate reaches with a budget, the smallest loss first.
 *
 *   d = budget / costPerExample
 *
 * @throws RangeError without candidates, or for a budget, size or cost that is not above 0
 */
export function rankCandidates<T extends Candidate>(
  law: LossLaw,
  candidates: readonly T[],
  budget: number,
): CandidateOutcome<T>[] {
  if (candidates.length === 0) throw new RangeError('rankCandidates: there must be at least one candidate')
  requirePositive('rankCandidates', { budget })
  return candidates
    .map((candidate) => {
      requirePositive('rankCandidates', { n: candidate.n, costPerExample: candidate.costPerExample })
      const d = budget / candidate.costPerExample
      return { candidate, d, loss: lossAt(law, candidate.n, d) }
    })
    .toSorted((a, b) => a.loss - b.loss)
}

function requirePositive(who: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value > 0 && Number.isFinite(value)))
      throw new RangeError(`${who}: ${name} must be positive and finite (${value})`)
  }
}
