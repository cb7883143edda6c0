import type { ProcessDescription } from '@dit/model'
import {
  diffusersFlow,
  diffusersProcess,
  diffusersSampler,
  hasGaussianProcess,
  isWrittenScheduler,
  type PipelineSampler,
} from '@dit/sampler'
import { namedBetas } from '@dit/schedules'
import { OpenError } from '../option-error.js'

/** The scheduler of a diffusers folder: what it samples with, and the process of its network. */
export interface Scheduler {
  /** Of its file, for messages. */
  readonly path: string
  /** Whether the network was trained on a Gaussian process: then another sampler may take its place. */
  readonly isGaussian: boolean
  /** Why no other sampler may take its place; null where one may. */
  readonly obstacle: string | null
  /** The process of the network; null where `obstacle` says why it is not known. */
  readonly process: ProcessDescription | null
  /**
   * What it samples with.
   *
   * @throws OpenError where dit does not know this scheduler, or an option of it
   */
  sampler(): PipelineSampler
}

/**
 * Reads the `scheduler_config.json` of a diffusers folder.
 *
 * @param text of the file
 * @param path for messages
 * @returns null for a file that dit wrote and nobody has changed since: it says the process to diffusers, and is no choice of a sampler
 * @throws OpenError where it is not JSON, or no object
 */
export function readScheduler(text: string, path: string): Scheduler | null {
  if (attempt(path, () => isWrittenScheduler(text))) return null
  const isGaussian = attempt(path, () => hasGaussianProcess(text))
  const { process, obstacle } = processOf(text)
  const advice = isGaussian ? '; choose another one with `sampler`' : ''
  return { path, isGaussian, process, obstacle, sampler: () => attempt(path, () => diffusersSampler(text), advice) }
}

/** The process that other samplers of ours would walk, or why there is none. */
function processOf(text: string): Pick<Scheduler, 'process' | 'obstacle'> {
  const without = (obstacle: string) => ({ process: null, obstacle })
  try {
    const flow = diffusersFlow(text)
    if (flow !== null) return { process: { ...flow }, obstacle: null }
    const { betas, predictionType } = diffusersProcess(text)
    if (predictionType === 'v')
      return without('models with prediction_type v_prediction need their own sampler; leave `sampler` out')
    if (betas.at(-1) === 1)
      return without('models with rescale_betas_zero_snr need their own sampler; leave `sampler` out')
    return { process: { kind: 'gaussian', ...scheduleOf(betas), meanType: predictionType }, obstacle: null }
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    return without(problemOf(error))
  }
}

/** Betas by the name of their schedule where they have one, so that files stay small and readable. */
function scheduleOf(betas: Float64Array): object {
  const numTimesteps = betas.length
  const schedule = (['linear', 'squaredcos_cap_v2'] as const).find((name) => {
    if (name === 'linear' && numTimesteps < 21) return false
    const named = namedBetas(name, numTimesteps)
    return betas.every((beta, i) => beta === named[i])
  })
  return schedule === undefined ? { betas: [...betas] } : { schedule, numTimesteps }
}

function attempt<T>(path: string, read: () => T, advice = ''): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    throw new OpenError(path, `${problemOf(error)}${advice}`, { cause: error })
  }
}

function problemOf(error: Error): string {
  return error.message.replace(/^scheduler_config\.json: /, '')
}
