import type { Spacing } from '@dit/schedules'

/** Solvers over the path of a process, by the names of their samplers. `PATH_SOLVERS` has them; the names load without them. */
export const PATH_SOLVER_NAMES = [
  'euler',
  'euler-a',
  'heun',
  'dpmpp-2m',
  'dpmpp-3m',
  'dpmpp-2s',
  'dpmpp-2m-sde',
  'dpmpp-3m-sde',
  'unipc',
  'deis',
  'lms',
  'plms',
] as const

export type PathSolverName = (typeof PATH_SOLVER_NAMES)[number]

export function isPathSolver(name: string): name is PathSolverName {
  return (PATH_SOLVER_NAMES as readonly string[]).includes(name)
}

/**
 * Those that a flow has under the same name. `euler` and `heun` are methods of Runge and Kutta there; the weights of `plms` are for
 * equal steps of a Gaussian diffusion.
 */
export const FLOW_PATH_SOLVERS = [
  'dpmpp-2m',
  'dpmpp-3m',
  'dpmpp-2s',
  'unipc',
  'deis',
  'lms',
  'euler-a',
  'dpmpp-2m-sde',
  'dpmpp-3m-sde',
] as const satisfies readonly PathSolverName[]

export type FlowPathSolverName = (typeof FLOW_PATH_SOLVERS)[number]

export function isFlowPathSolver(name: string): name is FlowPathSolverName {
  return (FLOW_PATH_SOLVERS as readonly string[]).includes(name)
}

/** Whose timesteps a spacing means: the solvers of DPM's family count the step to no noise as one more. */
export function timestepRule(name: string): 'ddim' | 'dpm' {
  return /^(dpm|unipc|deis)/.test(name) ? 'dpm' : 'ddim'
}

/**
 * How the steps of a Gaussian diffusion lie where the user does not say. Slopes in sigma / alpha, which a cosine schedule begins at
 * 20,000, cannot leap: `heun` needs equal steps of its logarithm, and `plms`, whose weights are for equal timesteps, a first level
 * with some signal. docs/choosing.md has what was measured.
 */
export function usualSpacing(sampler: string): Spacing {
  if (sampler === 'heun') return 'exponential'
  if (sampler === 'plms') return 'leading'
  return sampler === 'dpm' ? 'linspace' : 'trailing'
}
