import type { ModelWeights } from '@dit/model'
import { completeProcess, type ProcessSpec } from '@dit/train-ddp'
import { UsageError } from '../terminal/errors.js'

/** Flags that say the process of weights, where their file does not. */
export interface ProcessFlags {
  readonly process?: 'gaussian' | 'flow'
  readonly path?: string
  readonly predict?: string
}

/** The process of weights, and what was assumed for it. */
export interface WeightsProcess {
  readonly process: ProcessSpec
  readonly assumptions: readonly string[]
}

/** Settings that a file may tell and a flag may say, with what SiT has by default. */
const SETTINGS = [
  { flag: 'path', setting: 'interpolant', usual: 'linear', what: (value: string) => `a ${value} path` },
  { flag: 'predict', setting: 'prediction', usual: 'velocity', what: (value: string) => `that it predicts ${value}` },
] as const

/**
 * The process that weights were trained on: what their file says, then what flags say, then a Gaussian diffusion as in the paper. A flow
 * that only flags name is SiT's: time runs from noise to data, unscaled.
 *
 * @param name of the weights, for messages
 * @throws UsageError where a flag contradicts the file or says a setting of a flow without one
 */
export function processOfWeights(
  name: string,
  weights: Pick<ModelWeights, 'process' | 'config' | 'layout' | 'program'>,
  flags: ProcessFlags,
): WeightsProcess {
  const { process: told, config, layout, program } = weights
  const kind = told?.kind ?? flags.process ?? 'gaussian'
  if (flags.process !== undefined && flags.process !== kind) {
    throw new UsageError(`--process ${flags.process}: ${name} says that it was trained as ${kind}; leave --process out`)
  }
  if (kind !== 'flow') {
    const stray = SETTINGS.find(({ flag }) => flags[flag] !== undefined)
    if (stray !== undefined) throw new UsageError(`--${stray.flag} is for --process flow`)
    const usual: ProcessSpec = { varianceType: config.learnSigma ? 'learnedRange' : 'fixedLarge' }
    const process = told === null ? usual : complete(name, { ...usual, ...told })
    // diffusers' class, and scripts of DiT, are for diffusions.
    const isKnown = told !== null || flags.process !== undefined || layout === 'diffusers' || program === 'DiT'
    const guess = 'a Gaussian diffusion (weights of SiT have the same names; for them give --process flow)'
    return { process, assumptions: isKnown ? [] : [guess] }
  }
  if (layout === 'diffusers' && told === null) {
    throw new UsageError(
      `--process flow: ${name} has the names of diffusers, whose DiT is no flow; leave --process out`,
    )
  }
  const assumptions: string[] = []
  const settings: Record<string, unknown> = { ...(told ?? { kind, networkTime: 'towardsData' }) }
  if (told === null) {
    assumptions.push(
      'a flow as SiT trains it, whose time runs from noise to data (weights of REPA run the other way, those of DiT are no flow)',
    )
  }
  for (const { flag, setting, usual, what } of SETTINGS) {
    const [given, found] = [flags[flag], told?.[setting]]
    if (given !== undefined && found !== undefined && given !== found) {
      throw new UsageError(`--${flag} ${given}: ${name} says ${shown(found)}; leave --${flag} out`)
    }
    if (given === undefined && found === undefined) assumptions.push(what(usual))
    settings[setting] = found ?? given ?? usual
  }
  return { process: complete(name, settings), assumptions }
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
      ? ['betas of its own']
      : schedule === PAPERS.schedule
        ? []
        : [`${shown(schedule)} schedule`]),
    ...(numTimesteps === PAPERS.numTimesteps ? [] : [`${shown(numTimesteps)} timesteps`]),
  ]
}

/** A process in a few words: of a flow, what a sampler must know; of a Gaussian diffusion, what is not the paper's. */
export function describeProcess(process: Readonly<Record<string, unknown>>): string {
  const { kind = 'gaussian' } = process
  if (kind !== 'gaussian' && kind !== 'flow') return `a process of kind ${shown(kind)}, which is not known here`
  if (kind === 'gaussian') return ['a Gaussian diffusion', ...unlikePaper(process)].join(', ')
  const { interpolant = 'unknown', prediction = 'unknown', networkTime } = process
  const time = networkTime === 'towardsData' ? '0 is noise and 1 is data' : '0 is data and 1 is noise'
  return `a flow: ${shown(interpolant)} path, predicts ${shown(prediction)}; its time ${time}`
}

/** Whether weights are known to be of a process that nobody would guess: a flow, or a Gaussian diffusion unlike the paper's. */
export function isProcessOwn({ process }: Pick<ModelWeights, 'process'>): boolean {
  return process !== null && (process.kind === 'flow' || unlikePaper({ ...process }).length > 0)
}

function complete(name: string, settings: object): ProcessSpec {
  try {
    return completeProcess(settings)
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause
    throw new UsageError(`${name}: ${cause.message}`, { cause })
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
}
