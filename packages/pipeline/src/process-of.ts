import { completeProcess, type CompleteProcess, type ProcessSpec } from '@dit/diffusion'
import type { DiTConfig, ModelWeights } from '@dit/model'
import type { OpenModel } from './open-model.js'
import { OpenError, OptionError } from './option-error.js'

/** Settings of a process, where the file does not say them: any of `ProcessSpec`. */
export interface ProcessSettings {
  readonly kind?: 'gaussian' | 'flow'
  readonly [setting: string]: unknown
}

/** The process of weights, and what was assumed for it. */
export interface KnownProcess {
  /** Null where the file is one of ours that does not say, and nobody else did. */
  readonly process: CompleteProcess | null
  readonly assumptions: readonly string[]
  /** Whether the family was said or is beyond doubt: then files may say the process, too. */
  readonly isKnown: boolean
}

/** What SiT has by default, for a flow that nothing describes. */
const OF_SIT = [
  { setting: 'interpolant', usual: 'linear', what: (value: string) => `a ${value} path` },
  { setting: 'prediction', usual: 'velocity', what: (value: string) => `that it predicts ${value}` },
] as const

/**
 * The process that weights were trained on: what their file says, then what the caller says, then a Gaussian diffusion as in the paper.
 * A flow that only the caller names is SiT's: time runs from noise to data, unscaled.
 *
 * A file with a configuration of ours and no process is known to be of some run, and of none in particular: there is nothing to assume.
 *
 * @param name of the weights, for messages
 * @throws OptionError where a setting contradicts the file or belongs to the other family
 */
export function processOfWeights(
  name: string,
  weights: Pick<ModelWeights, 'process' | 'config' | 'layout' | 'program' | 'isDescribed'>,
  given: ProcessSettings = {},
): KnownProcess {
  const { process: told, config, layout, program, isDescribed } = weights
  const kind = told?.kind ?? given.kind ?? 'gaussian'
  if (given.kind !== undefined && given.kind !== kind) {
    throw new OptionError(
      'process',
      `${name} says that it was trained as a ${kind === 'flow' ? 'flow' : 'Gaussian diffusion'}; leave \`process\` out`,
      given.kind,
    )
  }
  if (told === null && given.kind === undefined) {
    const [stray] = Object.keys(given)
    if (stray !== undefined) throw strayOf(stray)
    if (isDescribed) return { process: null, assumptions: [], isKnown: false }
  }
  for (const [setting, value] of Object.entries(given)) {
    const found = told?.[setting]
    if (value === undefined || found === undefined || JSON.stringify(found) === JSON.stringify(value)) continue
    throw new OptionError(`process.${setting}`, `${name} says ${shown(found)}; leave the option out`, shown(value))
  }
  return kind === 'flow'
    ? flowOfWeights(name, told, given, layout)
    : gaussianOfWeights(name, weights, given, config, program)
}

/** The error for a setting of a process that nobody named: it tells which family has it. */
function strayOf(setting: string): OptionError {
  const flow: readonly string[] = ['interpolant', 'prediction', 'weighting', 'networkTime', 'timestepScale', 'times']
  return new OptionError(
    `process.${setting}`,
    `it works only with \`process\` ${flow.includes(setting) ? 'flow' : 'gaussian'}`,
  )
}

function gaussianOfWeights(
  name: string,
  { process: told, layout }: Pick<ModelWeights, 'process' | 'layout'>,
  given: ProcessSettings,
  { learnSigma }: DiTConfig,
  program: ModelWeights['program'],
): KnownProcess {
  const process = complete(name, {
    varianceType: learnSigma ? 'learnedRange' : 'fixedLarge',
    kind: 'gaussian',
    ...given,
    ...told,
  })
  // diffusers' class, and scripts of DiT, are for diffusions.
  const isKnown = told !== null || given.kind !== undefined || layout === 'diffusers' || program === 'DiT'
  const guess = 'a Gaussian diffusion (if these are weights of SiT, which have the same names, give `process` flow)'
  return { process, assumptions: isKnown ? [] : [guess], isKnown }
}

function flowOfWeights(
  name: string,
  told: ModelWeights['process'],
  given: ProcessSettings,
  layout: ModelWeights['layout'],
): KnownProcess {
  if (layout === 'diffusers' && told === null) {
    throw new OptionError(
      'process',
      `${name} has the tensor names of diffusers, whose DiT is a diffusion, not a flow; leave \`process\` out`,
      'flow',
    )
  }
  const assumptions: string[] = []
  const settings: Record<string, unknown> = { ...(told ?? { networkTime: 'towardsData' }), ...given, kind: 'flow' }
  if (told === null) {
    assumptions.push(
      'a flow as in SiT, with time from noise to data (in REPA time runs the other way; DiT is not a flow)',
    )
  }
  for (const { setting, usual, what } of OF_SIT) {
    if (settings[setting] === undefined) assumptions.push(what(usual))
    settings[setting] ??= usual
  }
  return { process: complete(name, settings), assumptions, isKnown: true }
}

/**
 * The process of an opened model.
 *
 * @param sampler that was asked for in place of the scheduler of a pipeline
 * @throws OpenError where the file does not say its process; OptionError where only its scheduler knows what the network means
 */
export function requireProcess({ name, process, scheduler }: OpenModel, sampler?: string): ProcessSpec {
  if (scheduler !== null && scheduler.obstacle !== null && sampler !== undefined) {
    throw new OptionError('sampler', `${scheduler.path}: ${scheduler.obstacle}`, sampler)
  }
  if (process !== null) return process
  throw new OpenError(
    name,
    'it does not say what it was trained as: give `process` gaussian or flow, and every other setting that was not the default',
  )
}

/** Settings by which the network of a Gaussian diffusion answers, with those of the paper. */
const PAPERS = { schedule: 'linear', numTimesteps: 1000, meanType: 'epsilon' } as const

/** What a Gaussian process has other than the paper's, in words; empty for the paper's. */
function unlikePaper(process: Readonly<Record<string, unknown>>): string[] {
  const { betas, betaStart, betaEnd } = process
  const { schedule, numTimesteps, meanType } = { ...PAPERS, ...process }
  return [
    ...(meanType === PAPERS.meanType ? [] : [`predicts ${shown(meanType)}`]),
    ...(betas !== undefined || betaStart !== undefined || betaEnd !== undefined
      ? ['its own betas']
      : schedule === PAPERS.schedule
        ? []
        : [`${shown(schedule)} schedule`]),
    ...(numTimesteps === PAPERS.numTimesteps ? [] : [`${shown(numTimesteps)} timesteps`]),
  ]
}

/** A process in a few words: of a flow, what a sampler must know; of a Gaussian diffusion, what is not the paper's. */
export function describeProcess(process: Readonly<Record<string, unknown>>): string {
  const { kind = 'gaussian' } = process
  if (kind !== 'gaussian' && kind !== 'flow') return `a process of unknown kind ${shown(kind)}`
  const student = studentText(process)
  if (kind === 'gaussian') return ['a Gaussian diffusion', ...unlikePaper(process), ...student].join(', ')
  const { interpolant = 'unknown', prediction = 'unknown', networkTime } = process
  const time = networkTime === 'towardsData' ? '0 is noise and 1 is data' : '0 is data and 1 is noise'
  return `a flow: ${shown(interpolant)} path, predicts ${shown(prediction)}; time ${time}${student.map((text) => `; ${text}`).join('')}`
}

function studentText({ distilled }: Readonly<Record<string, unknown>>): string[] {
  if (distilled === undefined) return []
  const { numSteps, startSteps } = Object(distilled) as Record<string, unknown>
  return [`a student that takes ${shown(numSteps)} of ${shown(startSteps)} steps`]
}

/** Whether a process is one that nobody would guess: a flow, or a Gaussian diffusion unlike the paper's. */
export function isUnlikePaper(process: Readonly<Record<string, unknown>> | null): boolean {
  return process !== null && (process['kind'] === 'flow' || unlikePaper(process).length > 0)
}

function complete(name: string, settings: object): CompleteProcess {
  const present = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  try {
    return completeProcess(present)
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause
    throw new OpenError(name, cause.message, { cause })
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
