import type { Denoise } from '@dit/diffusion'
import {
  ddim,
  deis,
  type DpmOptions,
  dpmMultistep,
  dpmSinglestep,
  euler,
  heun,
  lms,
  type NoiseSource,
  plms,
  type SamplerStep,
  unipc,
} from '@dit/sampler'
import type { Path, Spacing } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'

type Options = NoiseSource & { readonly signal?: AbortSignal }

type Solver = (path: Path, denoise: Denoise, xT: Tensor, options: Options) => AsyncGenerator<SamplerStep, void, void>

const multistep =
  (order: DpmOptions['order'], algorithm: DpmOptions['algorithm'] = 'dpmsolver++'): Solver =>
  (path, denoise, xT, options) =>
    dpmMultistep(path, denoise, xT, { ...options, order, algorithm })

/** Solvers over the path of a process, by the name of a sampler. */
export const PATH_SOLVERS = {
  euler: (path, denoise, xT, { signal }) => euler(path, denoise, xT, { signal }),
  'euler-a': (path, denoise, xT, options) => ddim(path, denoise, xT, { ...options, eta: 1 }),
  heun,
  'dpmpp-2m': multistep(2),
  'dpmpp-3m': multistep(3),
  'dpmpp-2s': (path, denoise, xT, options) => dpmSinglestep(path, denoise, xT, { ...options, order: 2 }),
  'dpmpp-2m-sde': multistep(2, 'sde-dpmsolver++'),
  'dpmpp-3m-sde': multistep(3, 'sde-dpmsolver++'),
  unipc,
  deis,
  lms,
  plms,
} as const satisfies Readonly<Record<string, Solver>>

export type PathSolverName = keyof typeof PATH_SOLVERS

export function isPathSolver(name: string): name is PathSolverName {
  return Object.hasOwn(PATH_SOLVERS, name)
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
