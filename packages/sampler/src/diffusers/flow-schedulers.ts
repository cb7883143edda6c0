import {
  dynamicShiftSigma,
  pathThrough,
  shiftTime,
  straightLevel,
  stretchToTerminal,
  spreadSigmas,
} from '@dit/schedules'
import { flag, number, requireOneOf } from '../diffusers-fields.js'
import { euler } from '../euler.js'
import type { NoiseSource } from '../noise.js'
import { renoise } from '../renoise.js'
import { flowHeun } from './flow-heun.js'
import { type DiffusersClass, optionalNumber, refuseOptions, refuseSteps, spreadOf } from './plan.js'

/** `FlowMatchEulerDiscreteScheduler`. */
export const flowMatchEuler: DiffusersClass = (fields) => {
  const name = 'FlowMatchEulerDiscreteScheduler'
  const T = number(fields, 'num_train_timesteps', 1000)
  const shift = number(fields, 'shift', 1)
  const isDynamic = flag(fields, 'use_dynamic_shifting', false)
  const shiftKind = requireOneOf(fields, 'time_shift_type', ['exponential', 'linear'] as const)
  const terminal = optionalNumber(fields, 'shift_terminal') ?? 0
  const kind = spreadOf(fields)
  const isInverted = flag(fields, 'invert_sigmas', false)
  const isStochastic = flag(fields, 'stochastic_sampling', false)
  return (asked) => {
    refuseSteps(name, asked, ['mu', 'sigmas', 'timesteps'])
    const { numSteps, mu } = asked
    if (isDynamic && mu === undefined) {
      throw new RangeError('diffusersSampler: use_dynamic_shifting needs mu, which follows from the size of the image')
    }
    const given = asked.sigmas ?? asked.timesteps?.map((timestep) => timestep / T)
    let sigmas = given ? Float64Array.from(given) : spaced(T, isDynamic ? 1 : shift, numSteps)
    sigmas = sigmas.map((sigma) => (isDynamic ? dynamicShiftSigma(sigma, mu!, shiftKind) : shiftTime(sigma, shift)))
    if (terminal !== 0) sigmas = stretchToTerminal(sigmas, terminal)
    if (kind !== null) sigmas = spreadSigmas(kind, { sigmaMin: sigmas.at(-1)!, sigmaMax: sigmas[0] }, numSteps)
    if (isInverted) sigmas = sigmas.map((sigma) => 1 - sigma)
    const told = asked.timesteps !== undefined && !isInverted ? asked.timesteps : sigmas.map((sigma) => sigma * T)
    const levels = [...sigmas, isInverted ? 1 : 0].map((sigma, i) => straightLevel(sigma, told[i] ?? 0))
    return {
      path: pathThrough(levels),
      alphaBar: null,
      reading: { prediction: 'velocity' },
      solve: (path, denoise, xT, options) => {
        refuseOptions(name, options)
        return isStochastic
          ? renoise(path, denoise, xT, options as typeof options & NoiseSource)
          : euler(path, denoise, xT, { signal: options.signal })
      },
    }
  }
}

/** `FlowMatchHeunDiscreteScheduler`. */
export const flowMatchHeun: DiffusersClass = (fields) => {
  const name = 'FlowMatchHeunDiscreteScheduler'
  const T = number(fields, 'num_train_timesteps', 1000)
  const shift = number(fields, 'shift', 1)
  return (asked) => {
    refuseSteps(name, asked)
    const sigmas = spaced(T, shift, asked.numSteps).map((sigma) => shiftTime(sigma, shift))
    return {
      path: pathThrough([...sigmas, 0].map((sigma) => straightLevel(sigma, sigma * T))),
      alphaBar: null,
      reading: { prediction: 'velocity' },
      solve: (path, denoise, xT, options) => {
        refuseOptions(name, options, ['churn'])
        return flowHeun(path, denoise, xT, options)
      },
    }
  }
}

/** Evenly apart between the ends of the training's sigmas, which are shifted already: the caller shifts once more, as the library does. */
function spaced(T: number, shift: number, numSteps: number): Float64Array {
  const [first, last] = [shiftTime(1, shift) * T, shiftTime(1 / T, shift) * T]
  const step = (last - first) / (numSteps - 1)
  return Float64Array.from({ length: numSteps }, (_, i) => {
    return (i === 0 ? first : i === numSteps - 1 ? last : i * step + first) / T
  })
}
