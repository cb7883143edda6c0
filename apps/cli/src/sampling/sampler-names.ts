import { FLOW_SPACINGS, isSigmaSpacing, type Spacing, SPACINGS } from '@dit/schedules'
import type { ProcessSpec } from '@dit/train-ddp'
import { flagOf } from '../settings/flag-of.js'
import { isFlow, mostSteps } from '../run/objective-config.js'
import { checkInput, UsageError } from '../terminal/errors.js'
import { checkSpacing, startRatio } from './gaussian-steps.js'
import { FLOW_PATH_SOLVERS, PATH_SOLVERS, type PathSolverName, usualSpacing } from './path-solvers.js'
import { mostStepsWith, trainedShift } from './sampling-path.js'

/** Samplers of Gaussian diffusions; the first is the default. */
export const GAUSSIAN_SAMPLERS = [
  'ddpm',
  'ddim',
  'dpm',
  ...(Object.keys(PATH_SOLVERS) as readonly PathSolverName[]),
] as const

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
  ddpm: 'ddpm walks the timesteps of a Gaussian diffusion; on a flow euler-a and sde draw fresh noise',
  ddim: 'on a flow a step of ddim is one of euler, and euler-a has its noise',
  dpm: 'dpmpp-2m is the same method on a flow',
  plms: 'the weights of plms are for equal timesteps; lms has those of any path',
  midpoint: 'midpoint looks between two steps, where only a flow has a level',
  rk4: 'rk4 looks between two steps, where only a flow has a level',
  dopri5: 'dopri5 looks between two steps, where only a flow has a level',
  sde: 'sde is the SDE of a flow; euler-a and dpmpp-2m-sde draw fresh noise here',
  'heun-sde': 'heun-sde is for the SDE of a flow; euler-a and dpmpp-2m-sde draw fresh noise here',
}

/**
 * The sampler, if the process has it.
 *
 * @throws UsageError with the reason and the list
 */
export function checkSampler(sampler: SamplerName, process: ProcessSpec): SamplerName {
  const known: readonly SamplerName[] = isFlow(process) ? FLOW_SAMPLERS : GAUSSIAN_SAMPLERS
  if (known.includes(sampler)) return sampler
  const what = isFlow(process) ? 'a flow' : 'a Gaussian diffusion'
  throw new UsageError(
    `--sampler ${sampler}: the model was trained as ${what}, which has ${known.join(', ')}; ${REASONS[sampler]}`,
  )
}

/** What lays out the steps, as given. */
export interface LayoutFlags {
  readonly spacing?: string
  readonly shift?: number
}

/**
 * Throws for a spacing or a shift that does not go with the sampler.
 *
 * @param sampler null for that of a pipeline
 * @throws UsageError with the reason, and the list where there is one
 */
export function checkLayout({ spacing, shift }: LayoutFlags, sampler: SamplerName | null, process: ProcessSpec): void {
  if (spacing === undefined && shift === undefined) return
  const flag = spacing === undefined ? `--shift ${shift}` : `--spacing ${spacing}`
  if (sampler === null) {
    throw new UsageError(`${flag}: the pipeline's scheduler has its own steps; name a --sampler to take its place`)
  }
  if (shift !== undefined && !isFlow(process)) {
    throw new UsageError(`--shift ${shift}: only a flow has times to shift; a Gaussian diffusion has --spacing`)
  }
  if (sampler === 'dopri5') throw new UsageError(`${flag}: dopri5 chooses its steps itself`)
  if (spacing === undefined) return
  const known: readonly string[] = isFlow(process) ? FLOW_SPACINGS : SPACINGS
  if (!known.includes(spacing)) {
    const isOther = (SPACINGS as readonly string[]).includes(spacing)
    const reason = isOther ? 'a flow has no timesteps; it has' : 'it must be one of'
    throw new UsageError(`--spacing ${spacing}: ${reason} ${known.join(', ')}`)
  }
  if (!isSigmaSpacing(spacing as Spacing)) return
  if (sampler === 'ddpm') {
    throw new UsageError(
      `--spacing ${spacing}: its levels lie between timesteps, and ddpm knows the variances of the timesteps only; it takes leading, linspace, trailing`,
    )
  }
  if (sampler === 'plms') {
    throw new UsageError(
      `--spacing ${spacing}: the weights of plms are for equal timesteps; it takes leading, linspace, trailing, and lms any spacing`,
    )
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
  const what = spacing === 'beta' ? 'nearly all steps of beta lie at strong noise' : `${sampler} cannot leap from there`
  return `--spacing ${spacing}: this process begins with ${Math.round(start).toLocaleString('en')} times as much noise as signal, and ${what}; ${usualSpacing(sampler)} suits ${sampler} better`
}

/** What differs from the default layout of the steps, for the record: an empty object if nothing does. */
export function layoutOf({ spacing, shift }: LayoutFlags, process: ProcessSpec): LayoutFlags {
  const used = isFlow(process) ? (shift ?? trainedShift(process)) : 1
  return { ...(spacing === undefined ? {} : { spacing }), ...(used === 1 ? {} : { shift: used }) }
}

/** Flags that change what guidance does. */
export interface GuidanceFlags {
  readonly guidance?: number
  readonly guidanceInterval?: readonly [number, number]
  readonly guidanceRescale?: number
  readonly guidanceChannels?: number | null
  readonly nullClass?: number
  readonly guide?: string
}

/**
 * Throws for flags of guidance that would do nothing, or that the sampler of a pipeline does not let through.
 *
 * @param sampler null for that of a pipeline
 */
export function checkGuidance(flags: GuidanceFlags, sampler: SamplerName | null): void {
  for (const name of ['guide', 'guidanceInterval', 'guidanceRescale', 'guidanceChannels', 'nullClass'] as const) {
    if (flags[name] === undefined || (flags.guidance ?? 1) !== 1) continue
    throw new UsageError(`${flagOf(name)} changes guidance, of which there is none; give --guidance as well`)
  }
  for (const name of ['guidanceRescale', 'guidanceChannels', 'nullClass'] as const) {
    if (flags.guide === undefined || flags[name] === undefined) continue
    throw new UsageError(`${flagOf(name)} is for guidance by classes; --guide takes a weaker model in their place`)
  }
  if (flags.guidanceInterval !== undefined && sampler === null) {
    throw new UsageError(
      "--guidance-interval: the levels are those of the pipeline's scheduler; name a --sampler to take its place",
    )
  }
}

/**
 * How many steps are taken: as many as asked for, else at most the default.
 *
 * @param sampler null for that of a pipeline
 * @throws UsageError for more than there are timesteps, or than the sampler can take of them, and for a process that does not have the spacing
 */
export function checkedSteps(
  { steps: asked, spacing }: LayoutFlags & { readonly steps?: number },
  sampler: SamplerName | null,
  process: ProcessSpec,
  byDefault: number,
): number {
  const [all, most] = checkInput(() => [mostSteps(process), mostStepsWith(process, sampler ?? '', spacing)])
  const steps = asked ?? Math.min(byDefault, most)
  if (steps > all)
    throw new UsageError(`--steps ${steps} is more than the ${all} timesteps that the model was trained with`)
  if (steps <= most) {
    if (sampler !== null && spacing !== undefined && !isFlow(process)) {
      checkInput(() => checkSpacing(process, sampler, steps, spacing as Spacing))
    }
    return steps
  }
  throw new UsageError(
    `--steps ${steps}: ${sampler} with ${spacing ?? 'linspace'} spacing counts its last step, to no noise, as one timestep more; it takes at most ${most} of ${all}`,
  )
}
