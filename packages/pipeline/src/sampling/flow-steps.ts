import { type FlowProcessSpec, type PredictAt, processFromSpec } from '@dit/diffusion'
import { type NoiseSource, rungeKutta } from '@dit/sampler'
import { isSdeSampler, type SdeOptions } from './flow-options.js'
import { isFlowPathSolver } from './path-solver-names.js'
import { type PathOptions, pathOfFlow } from './sampling-path.js'
import type { Solving } from './solving.js'

/** Runge-Kutta methods behind the names of the samplers. */
const METHODS = { heun: 'heun2', euler: 'euler', midpoint: 'midpoint', rk4: 'classic4' } as const

export interface FlowSteps extends PathOptions, SdeOptions {
  /** Outputs of the network for each channel. */
  readonly outputsPerChannel: 1 | 2
  readonly clip: boolean
  /** Error of a step of `dopri5`. */
  readonly rtol?: number
  readonly atol?: number
  readonly noise: NoiseSource & { readonly signal?: AbortSignal }
  /** That of the seed, for solvers that take no recorded draws. */
  readonly seeded: NoiseSource & { readonly signal?: AbortSignal }
}

/** How a flow is solved. Those of a path and of an SDE load only where they are used. */
export async function flowSolving(
  process: FlowProcessSpec,
  sampler: string,
  predict: PredictAt,
  { outputsPerChannel, clip, rtol, atol, noise, seeded, ...options }: FlowSteps,
): Promise<Solving> {
  const denoise = processFromSpec(process, outputsPerChannel).denoiser(predict, clip ? { clipRange: 1 } : {})
  if (isFlowPathSolver(sampler)) {
    const { PATH_SOLVERS } = await import('./path-solvers.js')
    const path = pathOfFlow(process, options, 'signal')
    return { path, denoise, scale: path.startScale, solve: (...at) => PATH_SOLVERS[sampler](...at, seeded) }
  }
  if (isSdeSampler(sampler)) {
    const { sdeSolving } = await import('./sde-solving.js')
    return sdeSolving(sampler, process, denoise, options, noise)
  }
  const path = pathOfFlow(process, options, 'ode')
  const { signal } = noise
  if (sampler === 'dopri5') {
    const { dopri5Solve } = await import('./dopri5-solving.js')
    return { path, denoise, scale: 1, solve: dopri5Solve({ rtol, atol, signal }) }
  }
  const method = METHODS[sampler as keyof typeof METHODS]
  // As for every solver that ends at no noise: only a velocity is as good at the end of the last step as elsewhere.
  const lastMethod = process.prediction === 'velocity' ? method : 'euler'
  return { path, denoise, scale: 1, solve: (...at) => rungeKutta(...at, { method, lastMethod, signal }) }
}
