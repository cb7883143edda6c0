import { isFlow, type ProcessSpec } from '@dit/diffusion'
import { FLOW_SPACINGS, isSigmaSpacing, type Spacing, SPACINGS } from '@dit/schedules'
import { didYouMean } from '../classes/suggest.js'
import { OptionError } from '../option-error.js'
import { checkSpacing, startRatio } from './gaussian-steps.js'
import { FLOW_PATH_SOLVERS, PATH_SOLVER_NAMES, usualSpacing } from './path-solver-names.js'
import { mostSteps, mostStepsWith, trainedShift } from './sampling-path.js'

/** Samplers of Gaussian diffusions; the first is the default. */
export const GAUSSIAN_SAMPLERS = ['ddpm', 'ddim', 'dpm', ...PATH_SOLVER_NAMES] as const

/** Samplers of flows; the first is the default. */
export const FLOW_SAMPLERS = [
  'midpoint',
  'heun',
  'euler',
  'rk4',
  'dopri5',
  ...FLOW_PATH_SOLVERS,
  'sde',
  'heun-sde',
] as const

export type SamplerName = (typeof GAUSSIAN_SAMPLERS | typeof FLOW_SAMPLERS)[number]

export const SAMPLERS: readonly SamplerName[] = [...new Set<SamplerName>([...GAUSSIAN_SAMPLERS, ...FLOW_SAMPLERS])]

/** What samples where nothing else is said. */
export function defaultSampler(process: ProcessSpec): SamplerName {
  return isFlow(process) ? FLOW_SAMPLERS[0] : GAUSSIAN_SAMPLERS[0]
}

/** Why one family does not have a sampler of the other. */
const REASONS: Readonly<Partial<Record<SamplerName, string>>> = {
  ddpm: 'ddpm needs the timesteps of a Gaussian diffusion; for fresh noise on a flow use euler-a or sde',
  ddim: 'on a flow ddim is the same as euler, and with noise as euler-a',
  dpm: 'dpmpp-2m is the same method on a flow',
  plms: 'plms needs equally spaced timesteps; lms works on any path',
  midpoint: 'midpoint needs times between two steps, which only a flow has',
  rk4: 'rk4 needs times between two steps, which only a flow has',
  dopri5: 'dopri5 needs times between two steps, which only a flow has',
  sde: 'sde solves the SDE of a flow; for fresh noise here use euler-a or dpmpp-2m-sde',
  'heun-sde': 'heun-sde solves the SDE of a flow; for fresh noise here use euler-a or dpmpp-2m-sde',
}

/**
 * The sampler, if the process has it.
 *
 * @throws OptionError with the reason and the list
 */
export function checkSampler(sampler: string, process: ProcessSpec): SamplerName {
  const known: readonly string[] = isFlow(process) ? FLOW_SAMPLERS : GAUSSIAN_SAMPLERS
  if (known.includes(sampler)) return sampler as SamplerName
  if (!(SAMPLERS as readonly string[]).includes(sampler)) {
    const likely = didYouMean(sampler, known)
    throw new OptionError('sampler', `it must be one of ${known.join(', ')}${likely}`, sampler)
  }
  const what = isFlow(process) ? 'a flow' : 'a Gaussian diffusion'
  const reason = REASONS[sampler as SamplerName]
  throw new OptionError(
    'sampler',
    `the model was trained as ${what}, which can use ${known.join(', ')}; ${reason}`,
    sampler,
  )
}

/** What lays out the steps. */
export interface LayoutOptions {
  /** How the steps lie in the process; by default as the sampler has it. */
  readonly spacing?: Spacing
  /** Moves the times of a flow: above 1 towards the noise. By default as it was trained. */
  readonly shift?: number
}

/**
 * Throws for a spacing or a shift that does not go with the sampler.
 *
 * @param sampler null for the scheduler of a pipeline
 * @throws OptionError with the reason, and the list where there is one
 */
export function checkLayout(
  { spacing, shift }: LayoutOptions,
  sampler: SamplerName | null,
  process: ProcessSpec | null,
): void {
  if (spacing === undefined && shift === undefined) return
  const refuse = (problem: string) => {
    throw spacing === undefined
      ? new OptionError('shift', problem, shift)
      : new OptionError('spacing', problem, spacing)
  }
  if (sampler === null || process === null) {
    return refuse("the pipeline's scheduler has its own steps; choose a `sampler` instead")
  }
  if (shift !== undefined && !isFlow(process)) {
    throw new OptionError('shift', 'it works only for a flow; for a Gaussian diffusion use `spacing`', shift)
  }
  if (shift !== undefined && !(shift > 0 && shift < Infinity))
    throw new OptionError('shift', 'it must be above 0', shift)
  if (sampler === 'dopri5') return refuse('dopri5 chooses its own steps; leave the option out')
  if (spacing === undefined) return
  const known: readonly string[] = isFlow(process) ? FLOW_SPACINGS : SPACINGS
  if (!known.includes(spacing)) {
    const isOther = (SPACINGS as readonly string[]).includes(spacing)
    return refuse(`${isOther ? 'a flow has no timesteps; use one of' : 'it must be one of'} ${known.join(', ')}`)
  }
  if (!isSigmaSpacing(spacing)) return
  if (sampler === 'ddpm') {
    refuse('its steps lie between timesteps, but ddpm works only at timesteps; use leading, linspace or trailing')
  }
  if (sampler === 'plms') {
    refuse('plms needs equally spaced timesteps; use leading, linspace or trailing, or `sampler` lms with any spacing')
  }
}

/** Noise over signal at the start of a process above which equal steps of it leave next to none where a picture comes out. */
const FAR = 50

/** What a user should know of a spacing that was asked for, or null. */
export function spacingNotice(spacing: string | undefined, sampler: string, process: ProcessSpec): string | null {
  if (spacing === undefined || isFlow(process)) return null
  const start = startRatio(process)
  const isPoor =
    spacing === 'beta' || ((sampler === 'heun' || sampler === 'plms') && ['linspace', 'trailing'].includes(spacing))
  if (!isPoor || start <= FAR) return null
  const what =
    spacing === 'beta' ? 'beta puts nearly all its steps at strong noise' : `${sampler} becomes inexact there`
  return `\`spacing\` ${spacing}: this process begins with ${Math.round(start).toLocaleString('en')} times as much noise as signal, and ${what}; ${usualSpacing(sampler)} suits ${sampler} better`
}

/** What differs from the default layout of the steps, for the record: an empty object if nothing does. */
export function layoutOf({ spacing, shift }: LayoutOptions, process: ProcessSpec): LayoutOptions {
  const used = isFlow(process) ? (shift ?? trainedShift(process)) : 1
  return { ...(spacing === undefined ? {} : { spacing }), ...(used === 1 ? {} : { shift: used }) }
}

/**
 * How many steps are taken: as many as asked for, else at most the default.
 *
 * @param process null where only the scheduler of a pipeline knows it
 * @throws OptionError for more than there are timesteps, or than the sampler can take of them, and for a process that does not have
 *   the spacing
 */
export function checkedSteps(
  { steps: asked, spacing }: LayoutOptions & { readonly steps?: number },
  sampler: SamplerName | null,
  process: ProcessSpec | null,
  byDefault: number,
): number {
  if (asked !== undefined && !(Number.isSafeInteger(asked) && asked >= 1)) {
    throw new OptionError('steps', 'it must be a positive integer', asked)
  }
  if (process === null) return asked ?? byDefault
  const [all, most] = [mostSteps(process), mostStepsWith(process, sampler ?? '', spacing)]
  const steps = asked ?? Math.min(byDefault, most)
  if (steps > all) {
    throw new OptionError('steps', `it is more than the ${all} timesteps the model was trained with`, steps)
  }
  if (steps <= most) {
    if (sampler !== null && spacing !== undefined && !isFlow(process)) {
      attempt(spacing, () => checkSpacing(process, sampler, steps, spacing))
    }
    return steps
  }
  throw new OptionError(
    'steps',
    `${sampler} with ${spacing ?? 'linspace'} spacing needs one timestep more than it has steps; it can take at most ${most} steps of ${all}`,
    steps,
  )
}

function attempt(spacing: string, check: () => void): void {
  try {
    check()
  } catch (cause) {
    if (cause instanceof RangeError) throw new OptionError('spacing', cause.message, spacing, { cause })
    throw cause
  }
}
