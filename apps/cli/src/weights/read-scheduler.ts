import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GaussianDiffusionOptions } from '@dit/diffusion'
import type { DiTConfig } from '@dit/model'
import { UsageError } from '../terminal/errors.js'

/** Schedules of diffusers that are named ones here: those of the reference, with its ends. */
const SCHEDULES: Readonly<Record<string, NonNullable<GaussianDiffusionOptions['schedule']>>> = {
  linear: 'linear',
  squaredcos_cap_v2: 'squaredcos_cap_v2',
}

/**
 * The process that weights were trained on: what `scheduler/scheduler_config.json` of a pipeline's folder says, else that of the
 * official code: 1000 timesteps, linear betas from 0.0001 to 0.02, noise prediction.
 *
 * @throws UsageError where the scheduler is of another kind
 */
export async function readScheduler(folder: string, { learnSigma }: DiTConfig): Promise<GaussianDiffusionOptions> {
  const varianceType = learnSigma ? 'learnedRange' : 'fixedLarge'
  const path = join(folder, 'scheduler', 'scheduler_config.json')
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return { schedule: 'linear', numTimesteps: 1000, varianceType }
  const must = (holds: boolean, rule: string) => {
    if (!holds) throw new UsageError(`${path}: ${rule}`)
  }
  let config: Readonly<Record<string, unknown>> | null
  try {
    // Python writes this number, which is none in JSON, beside the fields that are read here.
    config = JSON.parse(text.replaceAll(/(:\s*)-?Infinity(\s*[,}])/g, '$1null$2')) as Readonly<
      Record<string, unknown>
    > | null
  } catch (cause) {
    throw new UsageError(`${path} is not valid JSON`, { cause })
  }
  const { beta_schedule: name = 'linear', num_train_timesteps: numTimesteps = 1000 } = config ?? {}
  const { beta_start: start = 0.0001, beta_end: end = 0.02, prediction_type: target = 'epsilon' } = config ?? {}
  must(typeof name === 'string' && Object.hasOwn(SCHEDULES, name), 'beta_schedule must be linear or squaredcos_cap_v2')
  must(name !== 'linear' || (start === 0.0001 && end === 0.02), 'linear betas must go from 0.0001 to 0.02')
  must(target === 'epsilon', 'prediction_type must be epsilon')
  must(Number.isSafeInteger(numTimesteps) && Number(numTimesteps) >= 20, 'num_train_timesteps must be 20 or more')
  return { schedule: SCHEDULES[name as string], numTimesteps: Number(numTimesteps), varianceType }
}
