import {
  add,
  affine,
  clamp,
  exp,
  full,
  greater,
  less,
  log,
  maximum,
  mul,
  neg,
  scope,
  sigmoid,
  square,
  sub,
  type Tensor,
  where,
} from '@dit/tensor'

/** Half the distance of two of the 256 grey levels that span [-1, 1]. */
const HALF_WIDTH = 1 / 255
/** Beyond this the first and the last level reach out to infinity. */
const EDGE = 0.999
const SMALLEST_PROBABILITY = 1e-12
/** The CDF at -10 is 1e-38: far below the floor, and still far from overflow of its cube. */
const FARTHEST = 10

/**
 * Log likelihood of 8-bit values under a normal distribution that is cut into their bins, in nats.
 *
 *   log(cdf((x - mean + h) / scale) - cdf((x - mean - h) / scale)),   h = 1 / 255
 *
 * The bin of -1 is open below, that of 1 above. Probabilities are floored at 1e-12, where the gradient is 0. The CDF is
 * the tanh approximation, (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2. All this is as in the reference
 * implementation, but both ends of a bin are mirrored into the lower tail first: the same number, without taking the
 * difference of two values near 1, where float32 loses all digits. Gradients are finite for every finite argument whose
 * `exp(-logScale)` is finite.
 *
 * @param x         data in [-1, 1], of any shape
 * @param mean      like `x`
 * @param logScale  log of the standard deviation; broadcasts to `x`
 * @returns shaped like `x`; the caller disposes of it
 *
 * Ho et al. 2020, eq. 13; Page 1977 for the approximation of the CDF.
 */
export function discretisedGaussianLogLikelihood(x: Tensor, mean: Tensor, logScale: Tensor): Tensor {
  return scope(() => {
    const scalar = (value: number) => full([], value, { backend: x.backend, dtype: x.dtype })
    const centred = sub(x, mean)
    const isLowest = less(x, scalar(-EDGE))
    const isHighest = greater(x, scalar(EDGE))
    const inner = affine(greater(centred, scalar(0)), -2, 1) // towards the lower tail
    const direction = where(isLowest, scalar(1), where(isHighest, scalar(-1), inner))
    const mirrored = mul(direction, centred)
    const inverseScale = exp(neg(logScale))
    const upper = cdf(mul(affine(mirrored, 1, HALF_WIDTH), inverseScale))
    const lower = cdf(mul(affine(mirrored, 1, -HALF_WIDTH), inverseScale))
    const isOpen = maximum(isLowest, isHighest)
    return log(clamp(sub(upper, where(isOpen, scalar(0), lower)), SMALLEST_PROBABILITY, 1))
  })
}

/** Standard normal CDF, approximately; (1 + tanh(y)) / 2 = sigmoid(2 y), which keeps its digits in the lower tail. */
function cdf(z: Tensor): Tensor {
  const near = clamp(z, -FARTHEST, FARTHEST)
  const cube = mul(square(near), near)
  return sigmoid(affine(add(near, affine(cube, 0.044715)), 2 * Math.sqrt(2 / Math.PI)))
}
