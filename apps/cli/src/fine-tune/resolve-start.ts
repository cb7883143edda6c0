import { type CompleteProcess, completeProcess } from '@dit/diffusion'
import { checkConfig, DIT_NAMES, type DiTConfig, ditConfig } from '@dit/model'
import { BLOCK_SETTINGS } from '../settings/block-settings.js'
import { flagOf } from '../settings/flag-of.js'
import { fieldsInFlags } from '../settings/in-flags.js'
import { PROCESS_SETTINGS } from '../settings/process-settings.js'
import { keptFields, placeOf, type RunSetting, valueAt } from '../settings/run-setting.js'
import { firstGiven, type Settings } from '../settings/setting.js'
import { didYouMean } from '../settings/suggest.js'
import { DATA_SETTINGS, MODEL_SETTINGS, type TrainFlags } from '../settings/train-settings.js'
import { checkInput, UsageError } from '../terminal/errors.js'
import { isFlow } from '../run/objective-config.js'
import { resolveProcess } from '../run/resolve-process.js'
import type { LatentSize } from '../run/resolve-run.js'
import type { StartingPoint } from './starting-point.js'

type Start = Pick<StartingPoint, 'source' | 'config' | 'process'>

/** Fields of a network that its weights fix, by their flags and in words. */
const FIXED = {
  hidden: ['hiddenSize', 'a hidden size of', ''],
  depth: ['depth', 'a depth of', ''],
  heads: ['numHeads', 'attention heads:', ''],
  patch: ['patchSize', 'patches of', ' (another patch is another first and last layer)'],
  mlpRatio: ['mlpRatio', 'an MLP ratio of', ''],
} as const satisfies Readonly<Record<string, readonly [keyof DiTConfig, string, string]>>

/**
 * The network that a run trains which begins from another: that one, for the data at hand.
 *
 * @throws UsageError where flags or data contradict what the weights fix
 */
export function startingModel(
  flags: TrainFlags,
  { source, config }: Start,
  process: CompleteProcess,
  { numClasses, latents }: { readonly numClasses: number; readonly latents?: LatentSize | undefined },
): DiTConfig {
  checkName(flags, source, config)
  for (const [key, [field, words, why]] of Object.entries(FIXED)) {
    const given = flags[key as keyof typeof FIXED]
    if (given === undefined || given === config[field]) continue
    throw new UsageError(
      `${flagOf(key)} ${given}: the weights of ${source} fix ${words} ${config[field]}${why}; leave ${flagOf(key)} out, or train from scratch without --from`,
    )
  }
  const block = firstGiven(BLOCK_SETTINGS, flags)
  if (block !== undefined) {
    throw new UsageError(
      `${flagOf(block)}: the weights of ${source} fix the blocks; leave ${flagOf(block)} out, or train from scratch without --from`,
    )
  }
  checkChannels(flags, source, config, latents)
  const inputSize = latents?.size ?? flags.size ?? squareSize(source, config)
  if (inputSize % config.patchSize !== 0) {
    throw new UsageError(
      `${latents === undefined ? '--size' : 'the side of the latents,'} ${inputSize} is not a multiple of ${config.patchSize}, the patch side of ${source}`,
    )
  }
  const resolved: DiTConfig = {
    ...config,
    // As it was, a pair included, where nothing changes.
    inputSize: isSquare(config, inputSize) ? config.inputSize : inputSize,
    numClasses,
    classDropout: flags.classDropout ?? config.classDropout,
    // Of a flow further channels play no part.
    learnSigma: isFlow(process) ? config.learnSigma : process.varianceType!.startsWith('learned'),
  }
  const inFlags = (message: string) => fieldsInFlags(message, { ...MODEL_SETTINGS, ...DATA_SETTINGS })
  checkInput(() => checkConfig(resolved), inFlags)
  return resolved
}

/** Checks that a named size is that of the weights. */
function checkName({ model }: TrainFlags, source: string, config: DiTConfig): void {
  if (model === undefined) return
  if (!(DIT_NAMES as readonly string[]).includes(model)) {
    throw new UsageError(`--model ${model}: it must be one of ${DIT_NAMES.join(', ')}${didYouMean(model, DIT_NAMES)}`)
  }
  const named = ditConfig(model, { inputSize: config.inputSize, numClasses: config.numClasses })
  for (const [field, words] of Object.values(FIXED)) {
    if (named[field] === config[field]) continue
    throw new UsageError(
      `--model ${model} has ${words} ${named[field]}, but the weights of ${source} fix ${words} ${config[field]}; leave --model out, or train from scratch without --from`,
    )
  }
}

function checkChannels(flags: TrainFlags, source: string, { inChannels }: DiTConfig, latents?: LatentSize): void {
  const found = latents?.channels ?? 3
  if (found === inChannels) return
  if (latents !== undefined) {
    throw new UsageError(
      `--latents ${flags.latents}: they have ${found} channels, but ${source} was trained on ${inChannels === 3 ? 'pictures, which have 3' : `latents of ${inChannels}`}`,
    )
  }
  throw new UsageError(
    `${source} was trained on latents of ${inChannels} channels, and pictures have 3; make latents of them with \`dit encode\`, and give --latents <folder>`,
  )
}

/** Side of the pictures of a run that begins from a network. @throws UsageError where that is not square and no flag says */
export function sizeOfRun({ size }: TrainFlags, { source, config }: Start): number {
  return size ?? squareSize(source, config)
}

function squareSize(source: string, { inputSize }: DiTConfig): number {
  if (typeof inputSize === 'number') return inputSize
  const [height, width] = inputSize
  if (height === width) return height
  throw new UsageError(`${source} is for ${height}x${width}, and training pictures are square; give their --size`)
}

function isSquare({ inputSize }: DiTConfig, side: number): boolean {
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  return height === side && width === side
}

/** Settings of a process by which an output has a meaning, with their flags. */
const MEANING = {
  kind: 'process',
  meanType: 'predict',
  prediction: 'predict',
  networkTime: 'process',
} as const

/**
 * The process of a run which begins from another: that one, with what flags change.
 *
 * @throws UsageError where the final layer would mean something else, unless it begins anew
 */
export function startingProcess(flags: TrainFlags, { source, process: before }: Start): CompleteProcess {
  const { process: family = before.kind } = flags
  if (before.distilled !== undefined && flags.studentSteps === undefined) {
    throw new UsageError(
      `${source} is a student of ${before.distilled.numSteps} steps, which knows no others: begin from its teacher, or distil it further with --student-steps`,
    )
  }
  const process = family === before.kind ? withChanges(flags, before) : resolveProcess(flags)
  const [was, is] = [before, process] as unknown as Readonly<Record<string, unknown>>[]
  const changed = (Object.keys(MEANING) as (keyof typeof MEANING)[]).find((field) => was[field] !== is[field])
  if (changed !== undefined && flags.resetOutput !== true) {
    const flag = flagOf(MEANING[changed])
    throw new UsageError(
      `${flag} ${String(is[changed])}: the final layer of ${source} gives ${meaningOf(before)}, and would have to give ${meaningOf(process)}; leave ${flag} out, or begin that layer anew with --reset-output`,
    )
  }
  const isLearned = (type: unknown) => type === 'learned' || type === 'learnedRange'
  const [varianceBefore, variance] = [was['varianceType'], is['varianceType']]
  if (isLearned(varianceBefore) && isLearned(variance) && variance !== varianceBefore && flags.resetOutput !== true) {
    throw new UsageError(
      `--variance ${variance}: the final layer of ${source} gives a variance as ${varianceBefore}; leave --variance out, or begin that layer anew with --reset-output`,
    )
  }
  return process
}

function withChanges(flags: TrainFlags, before: CompleteProcess): CompleteProcess {
  const rows: Settings<RunSetting> = PROCESS_SETTINGS
  const family = before.kind
  const stray = Object.keys(rows).find(
    (key) => flags[key as keyof TrainFlags] !== undefined && placeOf(rows[key], family) === undefined,
  )
  if (stray !== undefined) {
    throw new UsageError(`${flagOf(stray)} works only with --process ${family === 'flow' ? 'gaussian' : 'flow'}`)
  }
  const told = (valueAt(keptFields(PROCESS_SETTINGS, flags, family), 'objective.process') ?? {}) as Readonly<
    Record<string, unknown>
  >
  const times = 'times' in before ? { ...before.times, ...(told['times'] as object) } : undefined
  const merged = { ...before, ...told, ...(times === undefined ? {} : { times }) }
  return checkInput(
    () => completeProcess(merged as CompleteProcess),
    (message) => fieldsInFlags(message, PROCESS_SETTINGS),
  )
}

function meaningOf(process: CompleteProcess): string {
  return isFlow(process) ? `the ${process.prediction} of a flow` : `${process.meanType} of a Gaussian diffusion`
}
