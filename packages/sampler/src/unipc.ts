import type { Denoise } from '@dit/diffusion'
import type { Path, PathStep } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine, type Term } from './combine.js'
import { checkFalling, checkPathStart, lambdaOf, latest, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'
import { solveLinear } from './solve-linear.js'

/** Options of `unipc`. */
export interface UnipcOptions extends PathOptions {
  /** How many estimates the predictor uses, this step's included (default 2). */
  readonly order?: number
  /** B(h): `bh1` is h, `bh2` (default) is e^h - 1. `bh1` suits few steps without guidance; it cannot end where there is no noise. */
  readonly variant?: 'bh1' | 'bh2'
  /** What is integrated: the estimate of `x0` (default) or of the `noise`, which cannot end where there is none. */
  readonly estimates?: 'x0' | 'noise'
  /** Whether the last steps are of lower order, 1 at the very end (default). */
  readonly lowerOrderFinal?: boolean
  /** Steps whose result is not corrected (default none). */
  readonly uncorrected?: readonly number[]
}

/**
 * UniPC: the estimate at the end of each step, which the next step needs in any case, corrects the result of the step. One call of the
 * network a step, an order of convergence above that of the predictor alone. With H = -h for x0 and h for noise:
 *
 *   base  = keep xt[i] - scale (e^H - 1) m[i]          (keep, scale) = (sigma' / sigma, alpha') for x0, (alpha' / alpha, sigma') for noise
 *   next  = base - scale B sum_k rho_k (m[i - k] - m[i]) / r_k        r_k = (lambda[i - k] - lambda[i]) / h
 *
 * for the predictor with k from 1; the corrector has the new estimate too, with r = 1. The rho solve
 * sum_k r_k^(n - 1) rho_k = n! phi_(n + 1)(H) H^n / B for n = 1, 2, ..; the order 2 predictor and order 1 corrector take rho = 1 / 2.
 *
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong options, or a path that gives infinite factors; the signal's reason when stopped
 *
 * Zhao et al. 2023, "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models", algorithms 1 and 2, eq. 5.
 */
export function unipc(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: UnipcOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { order = 2, estimates = 'x0', lowerOrderFinal = true, uncorrected = [] } = options
  checkPathStart('unipc', path, xT, true)
  checkFalling('unipc', path)
  checkOptions(path, options)
  const { steps } = path
  const lambda = steps.map(({ from }) => lambdaOf(from))
  const orderAt = (index: number) =>
    Math.min(lowerOrderFinal ? Math.min(order, steps.length - index) : order, index + 1)
  return runPath(
    path,
    xT,
    (xt, step, index, [last, ...before]) => {
      const estimate = denoise(xt, step.from)
      const m = latest(estimates === 'x0' ? estimate.x0 : estimate.noise, before, order + 1)
      // Where the estimates m[k] lie, in units of the step from level i.
      const rs = (i: number, h: number, count: number) =>
        Array.from({ length: count }, (_, k) => (lambda[i - k - 1] - lambda[i]) / h)
      let x = xt
      if (index > 0 && !uncorrected.includes(index - 1)) {
        const h = lambda[index] - lambda[index - 1]
        const [now, ...old] = m
        const count = orderAt(index - 1)
        x = advance(steps[index - 1], last, h, old.slice(0, count), rs(index - 1, h, count - 1), options, now)
      }
      const h = lambdaOf(step.to) - lambda[index]
      const count = orderAt(index)
      const next = advance(step, x, h, m.slice(0, count), rs(index, h, count - 1), options)
      return { xt: next, x0: estimate.x0, carry: [x, ...m.slice(0, order)] }
    },
    options,
  )
}

/** One step from x, by the estimates m (that of its start first) at r = 0 and `rs`; with the one at its end, the corrector's. */
function advance(
  { from, to }: PathStep,
  x: Tensor,
  h: number,
  [m0, ...m]: readonly Tensor[],
  rs: readonly number[],
  { variant = 'bh2', estimates = 'x0' }: UnipcOptions,
  atEnd?: Tensor,
): Tensor {
  if (h === 0) return combine([1, x])
  const H = estimates === 'x0' ? -h : h
  const [keep, scale] = estimates === 'x0' ? [to.sigma / from.sigma, to.alpha] : [to.alpha / from.alpha, to.sigma]
  const B = variant === 'bh1' ? H : Math.expm1(H)
  const places = atEnd === undefined ? rs : [...rs, 1]
  const rho = places.length === 1 ? [0.5] : weights(places, H, B)
  const others = atEnd === undefined ? m : [...m, atEnd]
  const differences = others.flatMap((each, k): Term[] => {
    const factor = (-scale * B * rho[k]) / places[k]
    return [
      [factor, each],
      [-factor, m0],
    ]
  })
  return combine([keep, x], [-scale * Math.expm1(H), m0], ...differences)
}

/** The rho for estimates at the given places. */
function weights(places: readonly number[], H: number, B: number): number[] {
  let [phi, factorial] = [Math.expm1(H) / H - 1, 1]
  const [rows, wanted]: [number[][], number[]] = [[], []]
  for (let n = 1; n <= places.length; n++) {
    rows.push(places.map((r) => r ** (n - 1)))
    wanted.push((phi * factorial) / B)
    factorial *= n + 1
    phi = phi / H - 1 / factorial
  }
  return solveLinear(rows, wanted)
}

function checkOptions({ steps }: Path, options: UnipcOptions): void {
  const { order = 2, variant = 'bh2', estimates = 'x0', lowerOrderFinal = true } = options
  if (!Number.isInteger(order) || order < 1)
    throw new RangeError(`unipc: order must be a positive integer (got ${order})`)
  if (variant !== 'bh1' && variant !== 'bh2') {
    throw new RangeError(`unipc: variant must be bh1 or bh2 (got ${String(variant)})`)
  }
  if (estimates !== 'x0' && estimates !== 'noise') {
    throw new RangeError(`unipc: estimates must be x0 or noise (got ${String(estimates)})`)
  }
  if (steps.at(-1)!.to.sigma > 0) return
  const infinite = 'where the last sigma is 0 the last step is infinitely long'
  if (variant === 'bh1') throw new RangeError(`unipc: ${infinite}, and B of bh1 with it; take bh2, or end above 0`)
  if (estimates === 'noise')
    throw new RangeError(`unipc: ${infinite}, which only estimates of x0 can take; end above 0`)
  if (!lowerOrderFinal && order > 1) {
    throw new RangeError(`unipc: ${infinite}, which only order 1 can take; lowerOrderFinal must be true`)
  }
}
