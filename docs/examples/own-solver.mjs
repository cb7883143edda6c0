// The method of Adams and Bashforth of second order, in sigma / alpha: one call of the network a step.
import { runPath } from '@dit/sampler'
import { add, affine, sub } from '@dit/tensor'

const ratio = ({ alpha, sigma }) => sigma / alpha

export function adamsBashforth(path, denoise, xT, options) {
  const lengths = path.steps.map(({ from, to }) => ratio(to) - ratio(from))
  const takeStep = (xt, { from, to }, index, [before]) => {
    const { x0, noise } = denoise(xt, from) // d(xt / alpha) = noise d(sigma / alpha)
    const share = index === 0 ? 0 : lengths[index] / (2 * lengths[index - 1])
    const slope = index === 0 ? noise : sub(affine(noise, 1 + share), affine(before, share))
    const next = add(affine(xt, 1 / from.alpha), affine(slope, lengths[index]))
    return { xt: affine(next, to.alpha), x0, carry: [noise] }
  }
  return runPath(path, xT, takeStep, options)
}
