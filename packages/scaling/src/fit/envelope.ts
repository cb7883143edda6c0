import { checkColumns } from './checks.js'

/** The losses of one training as it goes on. */
export interface LearningCurve {
  /** Size of the network. */
  readonly n: number
  /** Compute spent, rising. */
  readonly compute: readonly number[]
  readonly loss: readonly number[]
}

/** The best of the curves at an amount of compute. */
export interface EnvelopePoint {
  readonly compute: number
  readonly n: number
  readonly loss: number
  /** Whether the best size is the smallest or largest that reaches so much compute: a better one may lie outside. */
  readonly isAtEdge: boolean
}

/** The lower envelope of learning curves. */
export interface Envelope {
  readonly points: readonly EnvelopePoint[]
  readonly warnings: readonly string[]
}

/**
 * Chinchilla's first approach: at each of many amounts of compute, the curve with the smallest loss. `fitPowerLaw` of the points then
 * gives how loss and best size go with compute.
 *
 * Curves are interpolated linearly in logarithms, and only amounts that two curves reach count. A curve whose learning rate decays to the end
 * of a longer training stands higher on its way than a training of that length would end.
 *
 * @param numPoints  amounts of compute, evenly spaced in their logarithm; default 50
 * @throws RangeError for fewer than two curves, numbers that are not positive, compute that does not rise, or curves that share no compute
 *
 * Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", section 3.1.
 */
export function learningEnvelope(
  curves: readonly LearningCurve[],
  { numPoints = 50 }: { readonly numPoints?: number } = {},
): Envelope {
  if (curves.length < 2)
    throw new RangeError(`learningEnvelope: there must be at least 2 curves; there are ${curves.length}`)
  if (!Number.isInteger(numPoints) || numPoints < 2)
    throw new RangeError(`learningEnvelope: numPoints must be an integer of at least 2; it is ${numPoints}`)
  curves.forEach(({ n, compute, loss }, i) => {
    checkColumns(`learningEnvelope: curve ${i}`, { compute, loss })
    checkColumns(`learningEnvelope: curve ${i}`, { n: [n] })
    if (compute.length === 0) throw new RangeError(`learningEnvelope: curve ${i} is empty`)
    const fall = compute.findIndex((value, k) => k > 0 && value <= compute[k - 1])
    if (fall >= 0)
      throw new RangeError(`learningEnvelope: compute of curve ${i} must rise; at ${fall} it is ${compute[fall]}`)
  })
  // Between the second smallest beginning and the second largest end, two curves may overlap.
  const low = curves.map(({ compute }) => compute[0]).toSorted((a, b) => a - b)[1]
  const high = curves.map(({ compute }) => compute.at(-1)!).toSorted((a, b) => b - a)[1]
  if (!(low < high)) throw new RangeError('learningEnvelope: no amount of compute is reached by two curves')
  const points = Array.from({ length: numPoints }, (_, i) =>
    bestAt(curves, low * (high / low) ** (i / (numPoints - 1))),
  )
  const found = points.filter((point) => point !== null)
  const atEdge = found.filter(({ isAtEdge }) => isAtEdge).length
  const winners = new Set(found.map(({ n }) => n)).size
  return {
    points: found,
    warnings: [
      ...(atEdge > found.length / 2
        ? [
            `at ${atEdge} of ${found.length} points the best size is the smallest or largest there: better ones may lie outside`,
          ]
        : []),
      ...(winners < 3
        ? [`only ${winners} size${winners === 1 ? ' is' : 's are'} ever the best: the envelope says little`]
        : []),
    ],
  }
}

function bestAt(curves: readonly LearningCurve[], compute: number): EnvelopePoint | null {
  const there = curves
    .map((curve) => ({ n: curve.n, loss: lossAtCompute(curve, compute) }))
    .filter((each): each is { n: number; loss: number } => each.loss !== null)
  if (there.length < 2) return null
  const best = there.reduce((a, b) => (b.loss < a.loss ? b : a))
  const sizes = there.map(({ n }) => n)
  return { compute, ...best, isAtEdge: best.n === Math.min(...sizes) || best.n === Math.max(...sizes) }
}

/** Loss of a curve by interpolation; null outside it. */
function lossAtCompute({ compute, loss }: LearningCurve, at: number): number | null {
  const tolerance = 1 + 1e-9
  if (at < compute[0] / tolerance || at > compute.at(-1)! * tolerance) return null
  const after = compute.findIndex((value) => value >= at)
  if (after < 0) return loss.at(-1)!
  if (after === 0) return loss[0]
  const share = Math.log(at / compute[after - 1]) / Math.log(compute[after] / compute[after - 1])
  return loss[after - 1] * (loss[after] / loss[after - 1]) ** share
}
