/**
 * The pair of order 5 with an embedded one of order 4, by which its error is told.
 *
 * Dormand and Prince 1980, "A Family of Embedded Runge-Kutta Formulae", table 2; the weights of the embedded method and of the
 * middle are those of Shampine 1986, "Some Practical Runge-Kutta Formulas", as torchdiffeq uses them.
 */
export const DORMAND_PRINCE = {
  nodes: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
  stages: [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  ],
  weights: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
  /** Weights of order 5 less those of order 4. */
  errorWeights: [
    35 / 384 - 1951 / 21600,
    0,
    500 / 1113 - 22642 / 50085,
    125 / 192 - 451 / 720,
    -2187 / 6784 + 12231 / 42400,
    11 / 84 - 649 / 6300,
    -1 / 60,
  ],
} as const

export const ORDER = 5

/** Weights of the seven slopes that give the state in the middle of a step, times the step. */
export const MIDDLE: readonly number[] = [
  6025192743 / 30085553152 / 2,
  0,
  51252292925 / 65400821598 / 2,
  -2691868925 / 45128329728 / 2,
  187940372067 / 1594534317056 / 2,
  -1776094331 / 19743644256 / 2,
  11237099 / 235043384 / 2,
]

/** How far the next step may differ from this one. */
const [SAFETY, LARGEST, SMALLEST] = [0.9, 10, 0.2]

/**
 * The size of the next step, after one with an error in units of the tolerance: 1 or less is accepted.
 *
 *   size min(10, max(0.9 error^(-1/5), 1 where accepted, else 0.2))
 *
 * Hairer, Norsett and Wanner 1993, "Solving Ordinary Differential Equations I", section II.4.
 */
export function nextStepSize(size: number, error: number): number {
  if (error === 0) return size * LARGEST
  const smallest = error < 1 ? 1 : SMALLEST
  return size * Math.min(LARGEST, Math.max(SAFETY / error ** (1 / ORDER), smallest))
}

/**
 * Weights of the quartic through both ends of a step and its middle, with the slopes at the ends; those of slopes are times the
 * step.
 *
 * @param share 0 at the start of the step, 1 at its end
 */
export function dense(share: number): Readonly<Record<'y0' | 'middle' | 'y1' | 'f0' | 'f1', number>> {
  const x = share
  return {
    y0: 1 + x * x * (-11 + x * (18 - 8 * x)),
    middle: 16 * x * x * (1 - x) * (1 - x),
    y1: x * x * (-5 + x * (14 - 8 * x)),
    f0: x * (1 + x * (-4 + x * (5 - 2 * x))),
    f1: x * x * (1 + x * (-3 + 2 * x)),
  }
}
