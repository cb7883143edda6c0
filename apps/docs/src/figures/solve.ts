import { denoiser } from '@dit/diffusion'
import { ddim, dpmMultistep, euler, guided, heun, rungeKutta, type SamplerStep, startNoise, unipc } from '@dit/sampler'
import { flowPath, type Interpolant } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { useEngine } from './engine.js'
import { type Component, mixtureModel } from './mixture.js'

/** The solvers that figures offer. `calls` is how often one step asks the network. */
export const SOLVERS = {
  ddim: { text: 'DDIM', calls: 1 },
  euler: { text: 'Euler', calls: 1 },
  heun: { text: 'Heun', calls: 2 },
  dpm: { text: 'DPM-Solver++ 2M', calls: 1 },
  unipc: { text: 'UniPC', calls: 1 },
  ancestral: { text: 'DDIM, eta 1', calls: 1 },
} as const satisfies Readonly<Record<string, { readonly text: string; readonly calls: number }>>

export type SolverName = keyof typeof SOLVERS | 'exact'

/** Where samples of a mixture are wanted, and how. */
export interface Question {
  readonly mixture: readonly Component[]
  readonly solver: SolverName
  readonly numSteps: number
  readonly count: number
  readonly seed: number
  readonly interpolant: Interpolant
  /** The class asked for (default: any) and how strongly. */
  readonly label?: number
  readonly guidance?: number
  /** Stops the work when the visitor has asked for something else. */
  readonly signal: AbortSignal
}

/** Multistep methods divide by alpha, which is 0 at t = 1. */
const FROM = 0.999

/** No component has this label, so it can stand for all of them. */
const NULL_LABEL = 1000

/**
 * Runs a solver of @dit/sampler from noise to samples of a mixture, whose perfect denoiser is known.
 *
 * @returns the points after every step, `numSteps + 1` arrays of `[count, 2]`, the noise first
 */
export async function solve(question: Question): Promise<Float64Array[]> {
  await useEngine()
  const { mixture, numSteps, count, seed, interpolant, label = NULL_LABEL, guidance = 1 } = question
  const labels = new Int32Array(count).fill(label)
  const model = mixtureModel(mixture, NULL_LABEL, { interpolant })
  const predict = guided(model, { labels, nullLabel: NULL_LABEL, scale: guidance, channels: 'all' })
  const denoise = denoiser(predict, { prediction: 'x0' })
  const path = flowPath({ interpolant, numSteps, from: FROM })
  const start = startNoise([count, 2, 1, 1], { seed })
  const states = [await valuesOf(start)]
  for await (const step of stepsOf(question, { path, denoise, start })) states.push(await valuesOf(step.xt))
  start.dispose()
  return states
}

interface Parts {
  readonly path: ReturnType<typeof flowPath>
  readonly denoise: ReturnType<typeof denoiser>
  readonly start: Tensor
}

function stepsOf({ solver, signal, seed }: Question, { path, denoise, start }: Parts): AsyncIterable<SamplerStep> {
  switch (solver) {
    case 'ddim':
      return ddim(path, denoise, start, { signal })
    case 'ancestral':
      return ddim(path, denoise, start, { signal, eta: 1, seed })
    case 'euler':
      return euler(path, denoise, start, { signal })
    case 'heun':
      return heun(path, denoise, start, { signal })
    case 'dpm':
      return dpmMultistep(path, denoise, start, { signal })
    case 'unipc':
      return unipc(path, denoise, start, { signal })
    default:
      return rungeKutta(path, denoise, start, { signal, method: 'classic4' })
  }
}

async function valuesOf(x: Tensor): Promise<Float64Array> {
  return Float64Array.from(await x.data())
}

/** The way of one point through the states of `solve`. */
export function wayOf(states: readonly Float64Array[], point: number): Float64Array {
  return Float64Array.from(states.flatMap((state) => [state[2 * point], state[2 * point + 1]]))
}

/** Root mean square distance between two sets of points, pair by pair. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.sqrt(Array.from(a).reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / (a.length / 2))
}
