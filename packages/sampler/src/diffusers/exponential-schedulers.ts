import { deis } from '../deis.js'
import { flag, number, requireOneOf } from '../diffusers-fields.js'
import { dpmMultistep } from '../dpm-multistep.js'
import { dpmSinglestep } from '../dpm-singlestep.js'
import { unipc } from '../unipc.js'
import { dpmPath } from './dpm-schedulers.js'
import { type DiffusersClass, refuseOptions } from './plan.js'

/** Names of forms that the library takes for its own form of a class, so that schedulers can be exchanged. */
const FOREIGN_TYPES = ['logrho', 'bh1', 'bh2']

/** `DPMSolverMultistepScheduler`. */
export const dpmSolverMultistep: DiffusersClass = (fields) => {
  const name = 'DPMSolverMultistepScheduler'
  const algorithm = requireOneOf(fields, 'algorithm_type', [
    'dpmsolver++',
    'dpmsolver',
    'sde-dpmsolver',
    'sde-dpmsolver++',
    'deis',
  ] as const)
  const type = requireOneOf(fields, 'solver_type', ['midpoint', 'heun', ...FOREIGN_TYPES])
  const order = requireOneOf(fields, 'solver_order', [2, 1, 3] as const)
  const solver = {
    algorithm: algorithm === 'deis' ? 'dpmsolver++' : algorithm,
    type: type === 'heun' ? 'heun' : 'midpoint',
    order,
    lowerOrderFinal: flag(fields, 'lower_order_final', true),
    eulerAtFinal: flag(fields, 'euler_at_final', false),
    sdeThirdOrder: 'diffusers',
  } as const
  refuseNoiseless(name, fields, solver.algorithm)
  if (algorithm === 'sde-dpmsolver' && order === 3) {
    throw new RangeError('scheduler_config.json: solver_order must be 1 or 2 with sde-dpmsolver (got 3)')
  }
  const layOut = dpmPath(
    {
      name,
      hasSpacing: true,
      hasZeroSnr: true,
      hasClip: true,
      hasLu: true,
      final: 'process',
      flow: 'flipped',
      steps: ['timesteps', 'mu'],
    },
    fields,
  )
  return (steps) => ({
    ...layOut(steps),
    solve: (path, denoise, xT, options) => {
      refuseOptions(name, options)
      return dpmMultistep(path, denoise, xT, { ...options, ...solver })
    },
  })
}

/** `DPMSolverSinglestepScheduler`. */
export const dpmSolverSinglestep: DiffusersClass = (fields) => {
  const name = 'DPMSolverSinglestepScheduler'
  const algorithm = requireOneOf(fields, 'algorithm_type', [
    'dpmsolver++',
    'dpmsolver',
    'sde-dpmsolver++',
    'deis',
  ] as const)
  const type = requireOneOf(fields, 'solver_type', ['midpoint', 'heun', ...FOREIGN_TYPES])
  const order = requireOneOf(fields, 'solver_order', [2, 1, 3] as const)
  const asksLower = flag(fields, 'lower_order_final', false)
  const endsAtZero = requireOneOf(fields, 'final_sigmas_type', ['zero', 'sigma_min']) === 'zero'
  const solver = {
    algorithm: algorithm === 'deis' ? 'dpmsolver++' : algorithm,
    type: type === 'heun' ? 'heun' : 'midpoint',
    order,
    sdeThirdOrder: 'diffusers',
  } as const
  refuseNoiseless(name, fields, solver.algorithm)
  const layOut = dpmPath(
    { name, hasClip: true, roundsAlways: true, final: 'process', flow: 'flipped', steps: ['timesteps', 'mu'] },
    fields,
  )
  return (steps) => ({
    ...layOut(steps),
    solve: (path, denoise, xT, options) => {
      refuseOptions(name, options)
      // The library turns it on, with a warning, wherever the groups would not come out even.
      const lowerOrderFinal = asksLower || endsAtZero || path.steps.length % order !== 0
      return dpmSinglestep(path, denoise, xT, { ...options, ...solver, lowerOrderFinal })
    },
  })
}

/** `DEISMultistepScheduler`. */
export const deisMultistep: DiffusersClass = (fields) => {
  const name = 'DEISMultistepScheduler'
  requireOneOf(fields, 'algorithm_type', ['deis', 'dpmsolver', 'dpmsolver++'])
  requireOneOf(fields, 'solver_type', ['logrho', 'midpoint', 'heun', 'bh1', 'bh2'])
  const order = requireOneOf(fields, 'solver_order', [2, 1, 3] as const)
  const lowerOrderFinal = flag(fields, 'lower_order_final', true)
  const layOut = dpmPath(
    { name, hasSpacing: true, roundsAlways: true, final: 'alwaysSpread', flow: 'flipped', steps: ['mu'] },
    fields,
  )
  return (steps) => ({
    ...layOut(steps),
    solve: (path, denoise, xT, options) => {
      refuseOptions(name, options)
      return deis(path, denoise, xT, { signal: options.signal, order, lowerOrderFinal })
    },
  })
}

/** `UniPCMultistepScheduler`. */
export const unipcMultistep: DiffusersClass = (fields) => {
  const name = 'UniPCMultistepScheduler'
  const type = requireOneOf(fields, 'solver_type', ['bh2', 'bh1', 'midpoint', 'heun', 'logrho'])
  requireOneOf(fields, 'solver_p', [])
  const uncorrected = fields['disable_corrector'] ?? []
  if (!Array.isArray(uncorrected) || !uncorrected.every((index) => Number.isInteger(index))) {
    throw new TypeError(
      `scheduler_config.json: disable_corrector must be a list of steps (got ${JSON.stringify(uncorrected)})`,
    )
  }
  const solver = {
    order: number(fields, 'solver_order', 2),
    variant: type === 'bh1' ? 'bh1' : 'bh2',
    estimates: flag(fields, 'predict_x0', true) ? 'x0' : 'noise',
    lowerOrderFinal: flag(fields, 'lower_order_final', true),
    uncorrected: uncorrected as number[],
  } as const
  if (solver.estimates === 'noise') {
    requireOneOf(fields, 'prediction_type', ['epsilon', 'sample', 'v_prediction'])
    requireOneOf(fields, 'final_sigmas_type', ['sigma_min'])
    if ((fields['final_sigmas_type'] ?? 'zero') === 'zero') {
      throw new RangeError('scheduler_config.json: final_sigmas_type must be "sigma_min" where predict_x0 is false')
    }
  }
  if ((optionalTerminal(fields) ?? 0) !== 0 && !flag(fields, 'use_flow_sigmas', false)) {
    throw new RangeError('scheduler_config.json: shift_terminal needs use_flow_sigmas')
  }
  const layOut = dpmPath(
    {
      name,
      hasSpacing: true,
      hasZeroSnr: true,
      hasRange: true,
      roundsAlways: true,
      final: 'spread',
      flow: 'down',
      steps: ['mu', 'sigmas'],
    },
    // Noise that the network predicts is not thresholded there.
    solver.estimates === 'noise' ? { ...fields, thresholding: false } : fields,
  )
  return (steps) => ({
    ...layOut(steps),
    solve: (path, denoise, xT, options) => {
      refuseOptions(name, options)
      return unipc(path, denoise, xT, { signal: options.signal, ...solver })
    },
  })
}

function optionalTerminal(fields: Readonly<Record<string, unknown>>): number | null {
  return (fields['shift_terminal'] ?? null) === null ? null : number(fields, 'shift_terminal', 0)
}

/** Solvers for the noise cannot end where there is none. */
function refuseNoiseless(name: string, fields: Readonly<Record<string, unknown>>, algorithm: string): void {
  if (algorithm.endsWith('++') || requireOneOf(fields, 'final_sigmas_type', ['zero', 'sigma_min']) !== 'zero') return
  throw new RangeError(
    `scheduler_config.json: final_sigmas_type must be "sigma_min" for ${algorithm} of ${name}, which estimates the noise`,
  )
}
