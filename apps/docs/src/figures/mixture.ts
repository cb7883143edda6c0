import type { LabelledModel } from '@dit/sampler'
import { flowLevel, type FlowOptions, type NoiseLevel } from '@dit/schedules'
import { add, affine, matmul, mul, reshape, scope, softmax, square, sub, sum, type Tensor, tensor } from '@dit/tensor'

// K components in the plane; a batch of B points is [B, 2, 1, 1], as pictures of one pixel with two channels are.

/** A round Gaussian in the plane. */
export interface Component {
  readonly mean: readonly [x: number, y: number]
  readonly deviation: number
  readonly weight: number
  /** The class that it belongs to. */
  readonly label: number
}

/** So that a component of another class has no part in a sum, without an infinity. */
const NEVER = -1e9

/**
 * What a perfect network would say of a mixture of Gaussians: the mean of x0, given xt and a class.
 *
 *   v[k]  = alpha^2 deviation[k]^2 + sigma^2
 *   r[k]  = softmax(log weight[k] - |xt - alpha mean[k]|^2 / (2 v[k]) - log v[k])
 *   x0    = sum r[k] (mean[k] + alpha deviation[k]^2 / v[k] (xt - alpha mean[k]))
 *
 * @param nullLabel the label that stands for all classes together
 * @returns a model for `guided`, or through it for any sampler; it predicts x0 and is told the time of `flow`
 *
 * The posterior mean of a Gaussian mixture; Karras et al. 2024, "Guiding a Diffusion Model with a Bad Version of Itself", use
 * the same trick.
 */
export function mixtureModel(mixture: readonly Component[], nullLabel: number, flow: FlowOptions): LabelledModel {
  const K = mixture.length
  return (xt, timesteps, labels) => {
    const level = flowLevel(timesteps[0], flow)
    const variance = mixture.map(({ deviation }) => (level.alpha * deviation) ** 2 + level.sigma ** 2)
    const shrink = mixture.map(({ deviation }, k) => (level.alpha * deviation ** 2) / variance[k])
    return scope(() => {
      const x = reshape(xt, [-1, 2]) // [B, 2]
      const r = softmax(logits(mixture, { x, labels, nullLabel, level, variance })) // [B, K]
      const gain = matmul(r, tensor(shrink, [K, 1])) // [B, 1]
      const shifted = mixture.flatMap(({ mean }, k) => mean.map((m) => m * (1 - level.alpha * shrink[k])))
      const centre = matmul(r, tensor(shifted, [K, 2])) // [B, 2]
      return reshape(add(centre, mul(x, gain)), xt.shape) // [B, 2, 1, 1]
    })
  }
}

interface Question {
  readonly x: Tensor
  readonly labels: Int32Array
  readonly nullLabel: number
  readonly level: NoiseLevel
  readonly variance: readonly number[]
}

/** Log of weight times density, up to a constant. `[B, K]` */
function logits(mixture: readonly Component[], { x, labels, nullLabel, level, variance }: Question): Tensor {
  const [B, K] = [labels.length, mixture.length]
  const means = mixture.flatMap(({ mean }) => mean.map((m) => level.alpha * m))
  const lengths = mixture.map((_, k) => means[2 * k] ** 2 + means[2 * k + 1] ** 2)
  const prior = Float64Array.from({ length: B * K }, (_, i) => {
    const { label, weight } = mixture[i % K]
    const asked = labels[Math.floor(i / K)]
    return asked === nullLabel || asked === label ? Math.log(weight) - Math.log(variance[i % K]) : NEVER
  })
  const products = matmul(x, tensor(means, [K, 2]), { transposeB: true }) // [B, K]
  const distance = add(sub(sum(square(x), [1], { keepDims: true }), affine(products, 2)), tensor(lengths, [1, K]))
  const halved = tensor(
    variance.map((v) => 0.5 / v),
    [1, K],
  )
  return sub(tensor(prior, [B, K]), mul(distance, halved)) // [B, K]
}

/** Density of a mixture under noise, for pictures of it. */
export function densityAt(
  mixture: readonly Component[],
  x: number,
  y: number,
  level: Pick<NoiseLevel, 'alpha' | 'sigma'>,
) {
  const total = mixture.reduce((sum, { weight }) => sum + weight, 0)
  return mixture.reduce((density, { mean, deviation, weight }) => {
    const variance = (level.alpha * deviation) ** 2 + level.sigma ** 2
    const distance = (x - level.alpha * mean[0]) ** 2 + (y - level.alpha * mean[1]) ** 2
    return density + ((weight / total) * Math.exp(-distance / (2 * variance))) / (2 * Math.PI * variance)
  }, 0)
}
