import {
  affine,
  type Backend,
  randomNormal,
  randomStream,
  scope,
  type Shape,
  square,
  sub,
  type Tensor,
} from '@dit/tensor'
import { otherTasks } from '../other-tasks.js'
import { addNoise } from './add-noise.js'
import { type GaussianDiffusion, originalTimesteps, type Predict } from './gaussian-diffusion.js'
import { type DenoisingOptions, noiseFromX0 } from './model-mean-variance.js'
import { meanPerSample } from './normal.js'
import { checkBatch } from './per-sample.js'
import { variationalTerm } from './variational-term.js'

/** Draws for one step of the bound; step 0 is the noisiest. A tensor made inside is freed for the caller. */
export type BoundNoise = (step: number, shape: Shape, backend: Backend) => Tensor

export interface BoundOptions extends DenoisingOptions {
  /** A seed, or recorded draws. */
  readonly noise: number | BoundNoise
  /** Stops between two steps; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

/** The variational bound of a batch, on the host. Rows are samples; columns are steps, from the noisiest to t = 0. */
export interface Bound {
  readonly numSteps: number
  /** `[B]`: prior + sum of vb, bits per dimension. */
  readonly total: Float64Array
  /** `[B]`: see `priorBits`. */
  readonly prior: Float64Array
  /** `[B, numSteps]`: see `variationalTerm`. */
  readonly vb: Float64Array
  /** `[B, numSteps]`: squared error of the estimate of x0. */
  readonly x0Mse: Float64Array
  /** `[B, numSteps]`: squared error of the noise worked out from that estimate. */
  readonly mse: Float64Array
}

/**
 * Variational bound on the negative log likelihood over all steps, in bits per dimension.
 *
 *   total = KL(q(xT | x0) || N(0, 1)) + sum over t of the variational term
 *
 * Other tasks of the program get their turn before each step.
 *
 * @param x0  clean samples, `[B, C, H, W]`, in [-1, 1]
 * @returns plain arrays; nothing to dispose of
 * @throws RangeError when a shape does not fit
 *
 * Ho et al. 2020, eq. 5.
 */
export async function boundOverSteps(
  diffusion: GaussianDiffusion,
  predict: Predict,
  x0: Tensor,
  { noise, signal, ...options }: BoundOptions,
): Promise<Bound> {
  const [batch] = x0.shape
  const { numTimesteps } = diffusion
  checkBatch('boundOverSteps', diffusion, new Int32Array(batch), { x0 })
  const draw = typeof noise === 'number' ? seededNoise(noise) : noise
  const prior = await read(priorBits(diffusion, x0))
  const columns = { vb: blank(), x0Mse: blank(), mse: blank() }
  const total = Float64Array.from(prior)
  for (let step = 0; step < numTimesteps; step++) {
    await otherTasks()
    signal?.throwIfAborted()
    const timesteps = new Int32Array(batch).fill(numTimesteps - 1 - step)
    const measured = scope(() =>
      measureStep(diffusion, predict, x0, timesteps, draw(step, x0.shape, x0.backend), options),
    )
    // All three are read, and so freed, before the next step begins.
    const [vb, x0Mse, mse] = await Promise.all([measured.vb, measured.x0Mse, measured.mse].map(read))
    for (let sample = 0; sample < batch; sample++) {
      const at = sample * numTimesteps + step
      columns.vb[at] = vb[sample]
      columns.x0Mse[at] = x0Mse[sample]
      columns.mse[at] = mse[sample]
      total[sample] += vb[sample]
    }
  }
  return { numSteps: numTimesteps, total, prior: Float64Array.from(prior), ...columns }

  function blank() {
    return new Float64Array(batch * numTimesteps)
  }
}

/**
 * How far fully noised samples are from pure noise: KL(q(xT | x0) || N(0, 1)) per sample, in bits per dimension. No
 * model takes part.
 *
 *   KL = (alphaBar mean(x0^2) + (1 - alphaBar) - 1 - log(1 - alphaBar)) / 2        at the last timestep
 *
 * The part that does not depend on `x0` is the difference of nearly equal numbers and is formed on the host in float64.
 *
 * @param x0  clean samples, `[B, C, H, W]`
 * @returns `[B]`; the caller disposes of it
 * @throws RangeError when `x0` has no channel axis
 */
export function priorBits(diffusion: GaussianDiffusion, x0: Tensor): Tensor {
  const { tables } = diffusion
  const last = diffusion.numTimesteps - 1
  checkBatch('priorBits', diffusion, new Int32Array(x0.shape[0]).fill(last), { x0 })
  const alphaBar = tables.alphaBar[last]
  const spread = -alphaBar - Math.log1p(-alphaBar)
  return scope(() => affine(meanPerSample(square(x0)), alphaBar / 2 / Math.LN2, spread / 2 / Math.LN2))
}

function measureStep(
  diffusion: GaussianDiffusion,
  predict: Predict,
  x0: Tensor,
  timesteps: Int32Array,
  noise: Tensor,
  options: DenoisingOptions,
) {
  const xt = addNoise(diffusion, x0, timesteps, noise)
  const output = predict(xt, originalTimesteps(diffusion, timesteps))
  const { bits, x0: estimate } = variationalTerm(diffusion, output, { x0, xt, timesteps }, options)
  const noiseFound = noiseFromX0(diffusion, { xt, timesteps, x0: estimate })
  return {
    vb: bits,
    x0Mse: meanPerSample(square(sub(estimate, x0))),
    mse: meanPerSample(square(sub(noiseFound, noise))),
  }
}

function seededNoise(seed: number): BoundNoise {
  return (step, shape, backend) => randomNormal(shape, randomStream(seed, 'bound', step), { backend })
}

async function read(x: Tensor) {
  try {
    return await x.data()
  } finally {
    x.dispose()
  }
}
