import {
  diffusionTables,
  explodingLevel,
  pathThrough,
  sigmaAt,
  sigmaTable,
  sigmaTimesteps,
  timestepAt,
  spreadSigmas,
} from '@dit/schedules'
import { ddim } from '../ddim.js'
import { betasOf } from '../diffusers-process.js'
import { type Fields, flag, number, requireOneOf } from '../diffusers-fields.js'
import { euler } from '../euler.js'
import { heun } from '../heun.js'
import { lms } from '../lms.js'
import { libraryTable } from './library-table.js'
import {
  checkTimesteps,
  clipOf,
  type DiffusersClass,
  type DiffusersSteps,
  optionalNumber,
  predictionOf,
  refuseOptions,
  refuseSteps,
  spacingOf,
  spreadOf,
  withFiniteEnd,
} from './plan.js'

/** `EulerDiscreteScheduler`. */
export const eulerDiscrete: DiffusersClass = (fields) => {
  const prediction = predictionOf(fields, ['epsilon', 'sample', 'v_prediction', 'original_sample'])
  const layOut = sigmaPath('EulerDiscreteScheduler', fields)
  const hasMoreSigmas = eulerFields(fields).isLogLinear && spreadOf(fields) === null
  return (steps) => ({
    ...layOut(steps),
    reading: { prediction },
    solve: (path, denoise, xT, options) => {
      refuseOptions('EulerDiscreteScheduler', options, ['churn'])
      const { churn: asked = 0 } = options
      const numSteps = path.steps.length
      // The library divides churn by the count of sigmas before the last, of which there is one more there.
      const churn = hasMoreSigmas ? (asked * numSteps) / (numSteps + 1) : asked
      const reads = { networkSees: 'before', readAt: prediction === 'v' ? 'before' : 'raised' } as const
      return euler(path, denoise, xT, { ...options, churn, ...reads })
    },
  })
}

/** `EulerAncestralDiscreteScheduler`. */
export const eulerAncestralDiscrete: DiffusersClass = (fields) => {
  const prediction = predictionOf(fields, ['epsilon', 'v_prediction'])
  const layOut = sigmaPath('EulerAncestralDiscreteScheduler', fields)
  return (steps) => ({
    ...layOut(steps),
    reading: { prediction },
    solve: (path, denoise, xT, options) => {
      refuseOptions('EulerAncestralDiscreteScheduler', options)
      return ddim(path, denoise, xT, { ...options, eta: 1 })
    },
  })
}

/** `HeunDiscreteScheduler`. */
export const heunDiscrete: DiffusersClass = (fields) => {
  const prediction = predictionOf(fields, ['epsilon', 'sample', 'v_prediction'])
  const layOut = sigmaPath('HeunDiscreteScheduler', fields)
  const clip = clipOf({ ...fields, thresholding: false }, false)
  return (steps) => ({
    ...layOut(steps),
    reading: { prediction, ...clip },
    solve: (path, denoise, xT, options) => {
      refuseOptions('HeunDiscreteScheduler', options)
      return heun(path, denoise, xT, options)
    },
  })
}

/** `LMSDiscreteScheduler`. */
export const lmsDiscrete: DiffusersClass = (fields) => {
  const prediction = predictionOf(fields, ['epsilon', 'sample', 'v_prediction'])
  const layOut = sigmaPath('LMSDiscreteScheduler', fields)
  return (steps) => ({
    ...layOut(steps),
    reading: { prediction },
    solve: (path, denoise, xT, options) => {
      refuseOptions('LMSDiscreteScheduler', options, ['order'])
      return lms(path, denoise, xT, options)
    },
  })
}

/** What differs between the four, beside the solver. */
const HAS: Readonly<Record<string, readonly ('zeroSnr' | 'spread' | 'timesteps' | 'euler')[]>> = {
  EulerDiscreteScheduler: ['zeroSnr', 'spread', 'timesteps', 'euler'],
  EulerAncestralDiscreteScheduler: ['zeroSnr'],
  HeunDiscreteScheduler: ['spread', 'timesteps'],
  LMSDiscreteScheduler: ['spread'],
}

/**
 * The path of a scheduler in terms of sigma: its timesteps, their sigmas, or sigmas spread over that range with the timesteps where the
 * process reaches them; then 0.
 */
function sigmaPath(name: string, fields: Fields) {
  const has = HAS[name]
  const isZeroSnr = has.includes('zeroSnr') && flag(fields, 'rescale_betas_zero_snr', false)
  const tables = diffusionTables(betasOf({ ...fields, rescale_betas_zero_snr: isZeroSnr }))
  const alphaBar = isZeroSnr ? withFiniteEnd(tables.alphaBar) : tables.alphaBar
  const table = sigmaTable(alphaBar)
  const spacing = spacingOf(fields, 'linspace')
  const stepsOffset = number(fields, 'steps_offset', 0)
  const kind = has.includes('spread') ? spreadOf(fields) : null
  const own = eulerFields(has.includes('euler') ? fields : {})
  const library = kind === null ? null : libraryTable(fields, isZeroSnr)
  return (steps: DiffusersSteps) => {
    refuseSteps(name, steps, has.includes('timesteps') ? ['timesteps'] : [])
    const { numSteps } = steps
    const numTimesteps = alphaBar.length
    if (steps.timesteps !== undefined && (kind !== null || own.isContinuous)) {
      throw new RangeError(`diffusersSampler: timesteps must be left out where ${name} spreads its sigmas`)
    }
    checkTimesteps(name, steps.timesteps, numTimesteps, false)
    let timesteps = steps.timesteps
      ? Float64Array.from(steps.timesteps)
      : sigmaTimesteps({ numTimesteps, numSteps, spacing, stepsOffset })
    const over = (from: Float64Array) =>
      own.isLogLinear ? logLinear(from, timesteps.length) : timesteps.map((timestep) => sigmaAt(from, timestep))
    const spread = (from: Float64Array) => {
      const sigmas = over(from)
      const range = { sigmaMin: own.sigmaMin ?? sigmas.at(-1)!, sigmaMax: own.sigmaMax ?? sigmas[0] }
      return kind === null ? sigmas : spreadSigmas(kind, range, numSteps)
    }
    const sigmas = spread(table)
    if (library !== null) {
      const { sigmas: known, logs } = library
      timesteps = spread(known).map((sigma) => Math.fround(timestepAt(logs, sigma)))
    }
    const last = own.endsAtSigmaMin ? table[0] : 0
    const told = own.isContinuous ? sigmas.map((sigma) => 0.25 * Math.log(sigma)) : timesteps
    // Log-linear sigmas are one more than the steps, so that 0 is not reached.
    const all = [...sigmas, last].slice(0, told.length + 1)
    const sigmaMax = Math.max(...sigmas)
    const startScale = spacing === 'leading' ? Math.sqrt(sigmaMax ** 2 + 1) : sigmaMax
    const levels = all.map((sigma, i) => explodingLevel(sigma, told[i] ?? 0))
    return { alphaBar, path: pathThrough(levels, { startScale }) }
  }
}

/** Fields of `EulerDiscreteScheduler` alone. */
function eulerFields(fields: Fields) {
  const isContinuous = requireOneOf(fields, 'timestep_type', ['discrete', 'continuous']) === 'continuous'
  return {
    // The library looks at it only together with v.
    isContinuous: isContinuous && fields['prediction_type'] === 'v_prediction',
    isLogLinear: requireOneOf(fields, 'interpolation_type', ['linear', 'log_linear']) === 'log_linear',
    endsAtSigmaMin: requireOneOf(fields, 'final_sigmas_type', ['zero', 'sigma_min']) === 'sigma_min',
    sigmaMin: optionalNumber(fields, 'sigma_min'),
    sigmaMax: optionalNumber(fields, 'sigma_max'),
  }
}

/** One more sigma than steps, evenly apart in the logarithm over the whole table: the last step then ends above 0. */
function logLinear(table: Float64Array, numSteps: number): Float64Array {
  const [low, high] = [Math.log(table[0]), Math.log(table.at(-1)!)]
  return Float64Array.from({ length: numSteps + 1 }, (_, i) => Math.exp(high + (i / numSteps) * (low - high)))
}
