import type { SampleFlags } from '../settings/sample-options.js'
import { flagOf } from '../settings/flag-of.js'
import { UsageError } from '../terminal/errors.js'
import { noisySteps, SDE_SOLVERS, type SdeSettings } from './flow-options.js'
import { readRecordedNoise, type RecordedNoise } from './recorded-noise.js'

/** Flags of the solvers of SDEs, and those of the one that chooses its steps. */
const OF_AN_SDE = ['diffusionForm', 'diffusionNorm', 'lastStep', 'lastStepSize'] as const
const OF_DOPRI5 = ['rtol', 'atol'] as const

/** Samplers that take one recorded draw a step. */
const DRAWING: readonly string[] = [...Object.keys(SDE_SOLVERS), 'ddpm', 'ddim']

/**
 * Checks that the flags of some samplers are not given for others.
 *
 * @param sampler by its name; null for that of a pipeline
 * @throws UsageError that names the flag
 */
export function checkFlowFlags(sampler: string | null, flags: SampleFlags): void {
  const isSde = sampler !== null && Object.hasOwn(SDE_SOLVERS, sampler)
  const refuse = (names: readonly (keyof SampleFlags)[], samplers: string) => {
    const stray = names.find((name) => flags[name] !== undefined)
    if (stray !== undefined) throw new UsageError(`${flagOf(stray)} is for --sampler ${samplers}`)
  }
  if (!isSde) refuse(OF_AN_SDE, Object.keys(SDE_SOLVERS).join(' and '))
  if (sampler !== 'dopri5') refuse(OF_DOPRI5, 'dopri5')
  if (sampler === null || !DRAWING.includes(sampler)) refuse(['draws'], DRAWING.join(', '))
  if (flags.draws !== undefined && flags.spacing !== undefined && !isSde) {
    throw new UsageError(`--draws is for ${sampler} as the paper has it, without --spacing`)
  }
  if (flags.lastStepSize === 1) throw new UsageError('--last-step-size must be below 1, the start of the path')
  if (flags.lastStep === 'none' && flags.lastStepSize !== undefined) {
    throw new UsageError('--last-step-size is for a --last-step other than none')
  }
  if (flags.rtol === 0 && flags.atol === 0) throw new UsageError('--rtol and --atol must not both be 0')
}

/** The settings of an SDE that flags say. */
export function sdeSettings(flags: SampleFlags): SdeSettings {
  return {
    form: flags.diffusionForm,
    norm: flags.diffusionNorm,
    lastStep: flags.lastStep,
    lastStepSize: flags.lastStepSize,
  }
}

/** Noise that files bring in place of that of the seed. */
export interface RecordedFiles {
  readonly noise?: RecordedNoise
  readonly draws?: RecordedNoise
}

/**
 * Reads the files of `--noise` and `--draws`.
 *
 * @param shape of all samples, `[N, C, H, W]`
 * @throws UsageError for a file that is damaged or of another shape
 */
export async function readRecordedFiles(
  flags: SampleFlags,
  sampler: string | null,
  steps: number,
  shape: readonly number[],
): Promise<RecordedFiles> {
  const isSde = sampler !== null && Object.hasOwn(SDE_SOLVERS, sampler)
  const numDraws = isSde ? noisySteps(steps, sdeSettings(flags)) : steps
  return {
    ...(flags.noise === undefined ? {} : { noise: await readRecordedNoise('--noise', flags.noise, shape) }),
    ...(flags.draws === undefined
      ? {}
      : { draws: await readRecordedNoise('--draws', flags.draws, [numDraws, ...shape]) }),
  }
}
