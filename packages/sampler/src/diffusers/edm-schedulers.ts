import type { DenoiserOptions } from '@dit/diffusion'
import { edmLevel, edmPreconditioning, exponentialSigmas, karrasSigmas, pathThrough } from '@dit/schedules'
import { type Fields, flag, number, requireOneOf } from '../diffusers-fields.js'
import { dpmMultistep } from '../dpm-multistep.js'
import { euler } from '../euler.js'
import { type DiffusersClass, type DiffusersSteps, refuseOptions, refuseSteps, thresholdOf } from './plan.js'

/** `EDMEulerScheduler`. */
export const edmEuler: DiffusersClass = (fields) => {
  const layOut = edmPath('EDMEulerScheduler', fields)
  return (steps) => ({
    ...layOut(steps),
    solve: (path, denoise, xT, options) => {
      refuseOptions('EDMEulerScheduler', options, ['churn'])
      return euler(path, denoise, xT, { ...options, networkSees: 'before', readAt: 'raised' })
    },
  })
}

/** `EDMDPMSolverMultistepScheduler`. */
export const edmDpmSolverMultistep: DiffusersClass = (fields) => {
  const name = 'EDMDPMSolverMultistepScheduler'
  const algorithm = requireOneOf(fields, 'algorithm_type', ['dpmsolver++', 'sde-dpmsolver++', 'deis'] as const)
  const type = requireOneOf(fields, 'solver_type', ['midpoint', 'heun', 'logrho', 'bh1', 'bh2'])
  const order = requireOneOf(fields, 'solver_order', [2, 1, 3] as const)
  if (order === 3 && algorithm === 'sde-dpmsolver++') {
    throw new RangeError(`scheduler_config.json: solver_order must be 1 or 2 with sde-dpmsolver++ of ${name} (got 3)`)
  }
  const solver = {
    algorithm: algorithm === 'deis' ? 'dpmsolver++' : algorithm,
    type: type === 'heun' ? 'heun' : 'midpoint',
    order,
    lowerOrderFinal: flag(fields, 'lower_order_final', true),
    eulerAtFinal: flag(fields, 'euler_at_final', false),
  } as const
  const layOut = edmPath(name, fields)
  const threshold = thresholdOf(fields)
  return (steps) => {
    const { reading, ...rest } = layOut(steps)
    return {
      ...rest,
      reading: { ...reading, ...threshold },
      solve: (path, denoise, xT, options) => {
        refuseOptions(name, options)
        return dpmMultistep(path, denoise, xT, { ...options, ...solver })
      },
    }
  }
}

/** Sigmas over the whole range of EDM, and its preconditioning; `v_prediction` turns the sign of the output. */
function edmPath(name: string, fields: Fields) {
  const sigmaData = number(fields, 'sigma_data', 0.5)
  const range = { sigmaMin: number(fields, 'sigma_min', 0.002), sigmaMax: number(fields, 'sigma_max', 80) }
  const rho = number(fields, 'rho', 7)
  const schedule = requireOneOf(fields, 'sigma_schedule', ['karras', 'exponential'])
  const isNegated = requireOneOf(fields, 'prediction_type', ['epsilon', 'v_prediction']) === 'v_prediction'
  const endsAtZero = requireOneOf(fields, 'final_sigmas_type', ['zero', 'sigma_min']) === 'zero'
  const factors = edmPreconditioning(sigmaData)
  const reading: DenoiserOptions = {
    prediction: 'x0',
    precondition: ({ sigma }) => {
      const { skip, out } = factors(sigma)
      return { skip, out: isNegated ? -out : out }
    },
  }
  return (steps: DiffusersSteps) => {
    refuseSteps(name, steps)
    const { numSteps } = steps
    // For 1 step exponential sigmas are sigma_min alone there, and Euler's last sigma is the last that was spread.
    const isOdd = schedule === 'exponential' || (name === 'EDMEulerScheduler' && !endsAtZero)
    if (numSteps === 1 && isOdd) {
      throw new RangeError(
        `diffusersSampler: ${name} cannot take 1 step with these sigmas, where the library begins at sigma_min or ends where it begins; numSteps must be 2 or more`,
      )
    }
    const sigmas = schedule === 'karras' ? karrasSigmas(range, numSteps, rho) : exponentialSigmas(range, numSteps)
    const all = [...sigmas, endsAtZero ? 0 : range.sigmaMin]
    const path = pathThrough(
      all.map((sigma) => edmLevel(sigma, sigmaData)),
      { startScale: Math.sqrt(range.sigmaMax ** 2 + 1) },
    )
    return { path, alphaBar: null, reading }
  }
}
