import { completeProcess, isFlow, type ProcessSpec } from '@dit/diffusion'
import { requireKnown } from '../known-options.js'
import type { OpenModel } from '../open-model.js'
import { OptionError } from '../option-error.js'
import { isPixelModel } from '../pictures/pixel-model.js'
import { requireProcess } from '../process-of.js'
import { isSdeSampler, noisySteps, SDE_SAMPLERS } from './flow-options.js'
import type { Guidance } from './guided-predictor.js'
import { checkedCount, labelsOf, type PlannedLabels } from './labels-of.js'
import type { RecordedNoise } from './recorded-noise.js'
import { SAMPLE_DEFAULTS, SAMPLE_OPTIONS, type SampleOptions } from './sample-options.js'
import {
  checkedSteps,
  checkLayout,
  checkSampler,
  defaultSampler,
  layoutOf,
  type LayoutOptions,
  type SamplerName,
  spacingNotice,
} from './sampler-names.js'

/** What will be sampled, checked: every default is filled in. */
export interface SamplingPlan extends PlannedLabels {
  /** Null for the scheduler of a diffusers folder. */
  readonly sampler: SamplerName | null
  /** Null where only that scheduler knows what the network means. */
  readonly process: ProcessSpec | null
  /** Denoising steps of the whole path. */
  readonly steps: number
  /** Those that are taken for each batch: from a picture only the last ones. */
  readonly stepsTaken: number
  /** What differs from the default layout of the steps. */
  readonly layout: LayoutOptions
  readonly guidance: Omit<Guidance, 'guide'>
  readonly clip: boolean
  readonly seed: number
  readonly batchSize: number
  /** From a picture: which share of the steps is taken. */
  readonly strength: number | null
  /** Lines for the user. */
  readonly notices: readonly string[]
}

/**
 * Checks options of sampling against a model, before any weights are read.
 *
 * @throws OptionError naming the first option that cannot be
 */
export async function planSampling(model: OpenModel, given: SampleOptions): Promise<SamplingPlan> {
  requireKnown('sample', given, SAMPLE_OPTIONS)
  const isStudent = model.process?.distilled !== undefined || model.network.guidanceRange !== undefined
  const options = isStudent ? (await import('./student.js')).studentOptions(model, given) : given
  const { scheduler, network } = model
  checkImageOptions(model, options)
  if (options.tile === true && model.autoencoder === null) {
    throw new OptionError('tile', `it is for pictures of an autoencoder, which ${model.name} does not have`)
  }
  const isScheduled = options.sampler === undefined && scheduler !== null && options.image === undefined
  if (isScheduled) void scheduler.sampler()
  const process = isScheduled && !scheduler.isGaussian ? null : requireProcess(model, options.sampler)
  const sampler = isScheduled ? null : samplerOf(options, process!)
  checkLayout(options, sampler, process)
  checkGuidance(options, sampler)
  if (options.guide !== undefined) requireGuide(options.guide.model, model)
  const steps = checkedSteps(options, sampler, process, SAMPLE_DEFAULTS.steps)
  checkSolver(options, sampler)
  const { classes, perClass, labels } = labelsOf(model, options)
  checkRecorded(options, sampler, steps, [labels.length, ...network.inputShape])
  const strength = strengthOf(options, steps)
  const notice = sampler === null ? null : spacingNotice(options.spacing, sampler, process!)
  return {
    labels,
    classes,
    perClass,
    sampler,
    process,
    steps,
    stepsTaken: strength === null ? steps : stepsAt(strength, steps),
    layout: sampler === null ? {} : layoutOf(options, process!),
    guidance: guidanceOf(model, options),
    clip: options.clip ?? clipsByDefault(model),
    seed: checkedCount('seed', options.seed ?? SAMPLE_DEFAULTS.seed, 0),
    batchSize: checkedCount('batchSize', options.batchSize ?? SAMPLE_DEFAULTS.batchSize, 1),
    strength,
    notices: notice === null ? [] : [notice],
  }
}

function samplerOf({ sampler, image }: SampleOptions, process: ProcessSpec): SamplerName {
  if (sampler !== undefined) return checkSampler(sampler, process)
  // From a picture a path is taken from its middle on, and ddpm knows no path.
  return image !== undefined && !isFlow(process) ? 'ddim' : defaultSampler(process)
}

/** Estimates of pixels are clipped where their range is symmetric. */
function clipsByDefault({ description, network, autoencoder }: OpenModel): boolean {
  const [black, white] = description.pixelRange ?? [-1, 1]
  return autoencoder === null && isPixelModel(network) && black === -1 && white === 1
}

/** Options that change what guidance does. */
const OF_GUIDANCE = ['guide', 'guidanceInterval', 'guidanceRescale', 'guidanceChannels', 'nullClass'] as const
const OF_CLASSES = ['guidanceRescale', 'guidanceChannels', 'nullClass'] as const

/** Throws for options of guidance that would do nothing, or that the scheduler of a pipeline does not let through. */
function checkGuidance(options: SampleOptions, sampler: SamplerName | null): void {
  const { guidance = 1 } = options
  if (!Number.isFinite(guidance)) throw new OptionError('guidance', 'it must be a number', guidance)
  const [low, high] = options.guidanceInterval ?? [0, 0]
  if (!(Array.isArray(options.guidanceInterval ?? []) && low >= 0 && low <= high)) {
    throw new OptionError('guidanceInterval', 'it must be two numbers, 0 or more, the smaller first')
  }
  for (const name of OF_GUIDANCE) {
    if (options[name] === undefined || guidance !== 1) continue
    throw new OptionError(name, 'it changes guidance, but there is none; give `guidance` as well')
  }
  for (const name of OF_CLASSES) {
    if (options.guide === undefined || options[name] === undefined) continue
    throw new OptionError(
      name,
      'it is for guidance by the null class, but `guide` guides by a weaker model; leave one of them out',
    )
  }
  if (options.guidanceInterval !== undefined && sampler === null) {
    throw new OptionError(
      'guidanceInterval',
      "it needs noise levels, which the pipeline's scheduler does not tell; choose a `sampler` instead",
    )
  }
}

function guidanceOf(model: OpenModel, options: SampleOptions): SamplingPlan['guidance'] {
  const { guidance: scale = SAMPLE_DEFAULTS.guidance, guidanceChannels, nullClass } = options
  const { numClasses, nullLabel: none } = model.network
  const last = none ?? numClasses - 1
  if (nullClass !== undefined && !(Number.isInteger(nullClass) && nullClass >= 0 && nullClass <= last)) {
    throw new OptionError('nullClass', `it must be a class of ${model.name}, 0 to ${last}`, nullClass)
  }
  if (model.network.guidanceRange !== undefined) return { scale, nullClass: null, channels: 'all' }
  if (scale !== 1 && none === null && nullClass === undefined && options.guide === undefined) {
    throw new OptionError('guidance', `it must be 1, because ${model.name} has no null class to guide away from`, scale)
  }
  const channels = guidanceChannels ?? model.guidanceChannels
  const [inChannels] = model.network.inputShape
  const fits = channels === 'all' || (Number.isInteger(channels) && channels >= 1)
  if (!fits || (typeof guidanceChannels === 'number' && guidanceChannels > inChannels)) {
    throw new OptionError('guidanceChannels', `it must be 1 to ${inChannels}, or all`, guidanceChannels)
  }
  const { guidanceInterval: interval, guidanceRescale: rescale } = options
  return {
    scale,
    nullClass: nullClass ?? none,
    channels,
    ...(rescale === undefined ? {} : { rescale }),
    ...(interval === undefined ? {} : { interval }),
  }
}

/** Options of the solvers of SDEs, and those of the one that chooses its steps. */
const OF_AN_SDE = ['diffusionForm', 'diffusionNorm', 'lastStep', 'lastStepSize'] as const
const OF_DOPRI5 = ['rtol', 'atol'] as const

/** Samplers that take one recorded draw a step. */
const DRAWING: readonly string[] = [...SDE_SAMPLERS, 'ddpm', 'ddim']

/** Throws for options of a solver that is not used. */
function checkSolver(options: SampleOptions, sampler: SamplerName | null): void {
  const isSde = sampler !== null && isSdeSampler(sampler)
  const refuse = (names: readonly (keyof SampleOptions)[], samplers: string) => {
    const stray = names.find((name) => options[name] !== undefined)
    if (stray !== undefined) throw new OptionError(stray, `it works only with \`sampler\` ${samplers}`)
  }
  if (options.eta !== undefined && sampler !== 'ddim' && sampler !== null) refuse(['eta'], 'ddim')
  if (!isSde) refuse(OF_AN_SDE, SDE_SAMPLERS.join(' or '))
  if (sampler !== 'dopri5') refuse(OF_DOPRI5, 'dopri5')
  if (sampler === null || !DRAWING.includes(sampler)) refuse(['draws'], DRAWING.join(', '))
  if (options.draws !== undefined && options.spacing !== undefined && !isSde) {
    throw new OptionError('draws', `they work with ${sampler} only without \`spacing\``)
  }
  if (options.lastStepSize === 1) throw new OptionError('lastStepSize', 'it must be below 1, where the path starts', 1)
  if (options.lastStep === 'none' && options.lastStepSize !== undefined) {
    throw new OptionError('lastStepSize', 'it has no effect if `lastStep` is none; leave one of them out')
  }
  if (options.rtol === 0 && options.atol === 0) throw new OptionError('rtol', 'it must be above 0 if `atol` is 0')
}

/** Throws for recorded noise of another shape than the samples have. */
function checkRecorded(
  { noise, draws, ...options }: SampleOptions,
  sampler: SamplerName | null,
  steps: number,
  shape: readonly number[],
): void {
  const numDraws = sampler !== null && isSdeSampler(sampler) ? noisySteps(steps, options) : steps
  checkNoise('noise', noise, shape)
  checkNoise('draws', draws, [numDraws, ...shape])
}

function checkNoise(option: string, given: RecordedNoise | undefined, shape: readonly number[]): void {
  if (given === undefined) return
  const isSame = given.shape.length === shape.length && given.shape.every((size, axis) => size === shape[axis])
  if (!isSame) {
    throw new OptionError(
      option,
      `the array must have the shape of the samples, [${shape.join(', ')}] (got [${given.shape.join(', ')}])`,
    )
  }
  if (!given.values.every(Number.isFinite)) throw new OptionError(option, 'every value must be finite')
}

function checkImageOptions(model: OpenModel, { image, mask, strength, sampler, noise }: SampleOptions): void {
  if (image === undefined) {
    const stray = mask !== undefined ? 'mask' : strength !== undefined ? 'strength' : null
    if (stray !== null) throw new OptionError(stray, 'it needs an `image` to start from')
    return
  }
  if (noise !== undefined)
    throw new OptionError(
      'noise',
      'it cannot be combined with `image`, whose noise comes from `seed`; leave one of them out',
    )
  if (sampler === 'ddpm') {
    throw new OptionError(
      'sampler',
      'it can only start from noise, not from `image`; `sampler` ddim with `eta` 1 draws as much noise',
      'ddpm',
    )
  }
  if (model.scheduler !== null && sampler === undefined && !model.scheduler.isGaussian) {
    throw new OptionError(
      'image',
      "the pipeline's scheduler can only start from noise, and no other sampler knows the process of this network",
    )
  }
  if (!isPixelModel(model.network) && model.autoencoder === null) {
    throw new OptionError('image', `${model.name} is a model of latents, so it needs an \`autoencoder\` as well`)
  }
}

/** How many of the steps `startFromPicture` leaves. */
function stepsAt(strength: number, steps: number): number {
  return Math.floor(steps * strength + 1e-9)
}

function strengthOf({ image, mask, strength }: SampleOptions, steps: number): number | null {
  if (image === undefined) return null
  const used = strength ?? (mask === undefined ? SAMPLE_DEFAULTS.strength : 1)
  if (!(used > 0 && used <= 1)) throw new OptionError('strength', 'it must be above 0 and at most 1', used)
  if (stepsAt(used, steps) >= 1) return used
  throw new OptionError('strength', `it leaves none of ${steps} steps; raise it, or raise \`steps\``, used)
}

/** Settings of a process that its network answers by. What only training uses may differ. */
const OF_A_FLOW = ['interpolant', 'betaMin', 'betaMax', 'networkTime', 'timestepScale', 'prediction']
const OF_A_GAUSSIAN = ['schedule', 'numTimesteps', 'betas', 'betaStart', 'betaEnd', 'respacing', 'meanType']

/**
 * Throws unless a weaker model fits the one that it is to guide.
 *
 * @throws OptionError with the first difference
 */
export function requireGuide(guide: OpenModel, model: OpenModel): void {
  const difference = guideDifference(guide, model)
  if (difference === null) return
  throw new OptionError('guide', `it must fit the model that it guides, but its ${difference}`, guide.name)
}

function guideDifference(guide: OpenModel, model: OpenModel): string | null {
  const [own, other] = [guide, model].map(({ network }) => network.inputShape.join(' x '))
  if (own !== other) return `pictures are ${own}, not ${other}`
  const [classes, others] = [guide, model].map(({ network }) => network.numClasses)
  if (classes !== others) return `classes are ${classes}, not ${others}`
  const processes = [guide, model].map((each) => requireProcess(each))
  const [its, theirs] = processes.map((process) => completeProcess(process) as unknown as Settings)
  const names = ['kind', ...(isFlow(processes[1]) ? OF_A_FLOW : OF_A_GAUSSIAN)]
  const name = names.find((setting) => JSON.stringify(its[setting]) !== JSON.stringify(theirs[setting]))
  if (name === undefined) return null
  const told = (settings: Settings) => JSON.stringify(settings[name]) ?? 'nothing'
  return `process has ${name} ${told(its)}, not ${told(theirs)}`
}

type Settings = Readonly<Record<string, unknown>>
