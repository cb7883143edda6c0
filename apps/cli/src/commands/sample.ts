import {
  createPipeline,
  isPixelModel,
  type OpenModel,
  OptionError,
  type Pipeline,
  planSampling,
  type SampleOptions,
  type SamplingPlan,
  shortName,
} from '@dit/pipeline'
import { storedHalf } from '@dit/pipeline/node'
import { dirname } from 'node:path'
import { spatialFactor } from '@dit/vae'
import { Command } from 'commander'
import { chosenBackend } from '../engines/engine-options.js'
import { openEngine } from '../engines/open-engine.js'
import { showEngine } from '../engines/show-engine.js'
import { tellChecksum } from '../run/tell-checksum.js'
import { checkSampleMemory, needsTiles } from '../samples/check-memory.js'
import { type Place, resolveOutputs } from '../samples/outputs.js'
import { fileOf, optionsOf } from '../samples/options-of.js'
import { SAMPLE_HELP } from '../samples/sample-help.js'
import { addSampleOptions, type SampleFlags } from '../samples/sample-settings.js'
import { autoencoderDigest, checkSameSettings, jobSettings, engineDigest } from '../samples/job-settings.js'
import { drawSamples } from '../samples/draw-samples.js'
import { openPrompts, promptFlags, type Prompts, withPromptNames } from '../samples/prompts.js'
import { openSampleFiles, type SampleFiles } from '../samples/sample-files.js'
import type { PictureSize } from '../samples/shown-pictures.js'
import { runsHere } from '../run/run-folder.js'
import { givenOptions } from '../settings/config-file.js'
import { inFlags } from '../settings/option-flag.js'
import { hasUsualModel, USUAL_MODEL, withPretrainedSampling } from '../settings/pretrained.js'
import { openModelOf, openNamed } from '../settings/model-source.js'
import { MODEL_ARGUMENT } from '../settings/source-settings.js'
import { path } from '../settings/values.js'
import { EXIT, UsageError } from '../terminal/errors.js'
import { formatCount, formatCounted } from '../terminal/format.js'
import { onInterrupt } from '../terminal/interrupt.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'

/** `dit sample` */
export function sampleCommand(call: Call): Command {
  const command = new Command('sample')
    .summary('make pictures with a trained model')
    .description('Makes pictures with a trained model: a grid, single PNGs, or an npz file for evaluation.')
    .argument('[model]', MODEL_ARGUMENT, path)
  return addSampleOptions(command)
    .addHelpText('after', SAMPLE_HELP)
    .action(async (model: string | undefined) => {
      const flags = givenOptions<SampleFlags>(command)
      const output = createOutput(flags, call)
      const chosen = await chooseModel(model, flags, output)
      call.exitCode = await sampleFromFlags(chosen.model, chosen.flags, output)
    })
}

/** What will be sampled and written, checked. */
interface Job {
  readonly model: OpenModel
  readonly guide: OpenModel | null
  readonly options: SampleOptions
  readonly plan: SamplingPlan
  readonly place: Place
  /** In place of classes; null for a network of classes. */
  readonly prompts: Prompts | null
}

/** Pictures of each class where neither a model nor their number is named: so many that they are there within seconds. */
const UNASKED_COUNT = 2

/** The model that comes with dit where none is named, and the settings that suit a model that comes with dit. */
async function chooseModel(given: string | undefined, flags: SampleFlags, output: Output) {
  const isNamed = [given, flags.run, flags.checkpoint, flags.weights].some((path) => path !== undefined)
  if (isNamed || !(await hasUsualModel())) {
    return { model: given, flags: withPretrainedSampling(given ?? flags.weights, flags) }
  }
  output.line(
    `no model named: using ${USUAL_MODEL}, which comes with dit. For your own: dit sample <run or weights>.${await runsHere()}`,
  )
  const isCounted = [flags.count, flags.total, flags.classes].some((value) => value !== undefined)
  const counted = isCounted ? flags : { count: UNASKED_COUNT, ...flags }
  return { model: USUAL_MODEL, flags: withPretrainedSampling(USUAL_MODEL, counted) }
}

/** Samples what flags ask for. Returns the exit code; errors are thrown. */
async function sampleFromFlags(given: string | undefined, asked: SampleFlags, output: Output): Promise<number> {
  const prompts = await openPrompts(asked)
  const flags = prompts === null ? asked : promptFlags(asked)
  const opening = prompts === null ? {} : { prompted: prompts.prompted }
  const opened = await openModelOf(given, flags, 'dit sample', opening)
  let guide: OpenModel | null = null
  try {
    const model = withPromptNames(opened, prompts)
    const options = await optionsOf(flags, model)
    // Once before the guide is opened, so that what is wrong without it is told first.
    const alone = flags.guide === undefined ? options : { ...options, guide: { model, params: {} } }
    await withFileNames(flags, () => planSampling(model, alone))
    if (flags.guide !== undefined) {
      const { raw, half, heads } = flags
      guide = await openNamed(flags.guide, { raw, half, heads }, opening)
    }
    return await sampleFrom({ ...(await checkJob(flags, model, options, guide, prompts)), prompts }, flags, output)
  } finally {
    await guide?.close()
    await opened.close()
  }
}

async function checkJob(
  flags: SampleFlags,
  model: OpenModel,
  own: SampleOptions,
  guide: OpenModel | null,
  prompts: Prompts | null,
): Promise<Omit<Job, 'prompts'>> {
  const { network } = model
  const [channels] = network.inputShape
  const isShown = isPixelModel(network) || model.autoencoder !== null
  if (model.autoencoder !== null && flags.preview === true) {
    throw new UsageError('--preview shows pixels only; leave it out for a model of latents')
  }
  checkLatents(flags, model.name, channels, isShown)
  const options = {
    ...own,
    ...(guide === null ? {} : { guide: { model: guide, params: {} } }),
  }
  const plan = await withFileNames(flags, () => planSampling(model, options))
  checkSampleMemory({
    model: model.description.network ?? network,
    isHalf: flags.half !== undefined,
    count: plan.labels.length,
    batchSize: plan.batchSize,
    isGuided: plan.guidance.scale !== 1 || typeof flags.guidance === 'string',
    ...(guide === null ? {} : { guide: guide.description.network ?? guide.network }),
  })
  const place = await resolveOutputs(flags, folderOf(model), isShown)
  const { begun, anchor } = place
  // Once before weights are read, which may take long.
  if (begun !== null && begun.done > 0 && flags.force !== true) {
    checkSameSettings(anchor!, begun, jobSettings(plan, options, flags, prompts))
  }
  return { model, guide, options, plan, place }
}

/** Names the file in errors about what it holds. */
async function withFileNames<T>(flags: SampleFlags, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const file = fileOf(flags, error.option)
    if (file === undefined) throw error
    throw new OptionError(error.option, error.problem, file, { cause: error })
  }
}

/** Where samples go unless the user says: into the run, or beside the weights. */
function folderOf({ name, step, location }: OpenModel): string {
  if (location === null) return '.'
  return step === null ? dirname(location) : name
}

async function sampleFrom(job: Job, flags: SampleFlags, output: Output): Promise<number> {
  const { model, guide, plan, place } = job
  const engine = await openEngine(chosenBackend(flags), flags)
  const { backend, description } = engine
  const interruption = onInterrupt(() => output.notice('stopping'))
  let files: SampleFiles | null = null
  try {
    const optionsOf = (opened: OpenModel) => ({ backend, half: flags.half ?? storedHalf(opened, backend) })
    const pipeline = await createPipeline(model, optionsOf(model))
    const weak = guide === null ? null : await createPipeline(guide, optionsOf(guide))
    showEngine(engine, output)
    const assumed = model.assumptions.length === 0 ? [] : [`assumed: ${model.assumptions.join('; ')}`]
    for (const notice of [...model.notices, ...assumed, ...plan.notices]) output.notice(inFlags(notice))
    const held = flags.half === undefined ? '' : `, weights in ${flags.half}`
    output.line(`model  ${model.title}${held}`)
    if (guide !== null) output.line(`guide  ${guide.title}${held}`)
    output.line(planText(plan, flags))
    const tile = flags.tile ?? needsTiles(model, description.name)
    if (tile && flags.tile === undefined) {
      output.notice(
        'a whole picture needs more memory than there is: decoding in tiles, which differ slightly (--no-tile)',
      )
    }
    const config = model.description.network
    if (place.anchor !== null && config !== null) tellChecksum(config, output)
    files = await openSampleFiles({
      place,
      plan,
      settings: {
        ...jobSettings(plan, job.options, flags, job.prompts),
        engine: [description.name, description.instructionSet ?? ''].join(' ').trim(),
        tile,
        // Where nothing is kept, nobody compares them.
        ...(place.anchor === null ? {} : await digests(pipeline, weak)),
      },
      shape: model.network.inputShape,
      size: pictureSize(model),
      nameOf: (label) => shortName(model, label),
      force: flags.force === true,
      output,
    })
    const { signal } = interruption
    const options = { ...job.options, tile, signal, ...(weak === null ? {} : { guide: weak }) }
    await drawSamples(pipeline, options, {
      plan,
      preview: place.outputs.preview,
      isShown: place.outputs.out !== null,
      files,
      output,
    })
    pipeline.dispose()
    weak?.dispose()
    for (const text of await files.finish()) output.line(text)
    const { out, singles, npz, latents, trajectory } = place.outputs
    const written = { out, singles, npz, latents, ...(trajectory === null ? {} : { trajectory }) }
    output.event({ type: 'end', step: model.step, ...plan.layout, ...written })
    return EXIT.ok
  } catch (error) {
    const code = interruption.exitCode()
    // What went wrong first is told.
    const kept = (await files?.stop().catch(() => null)) ?? null
    const all = formatCount(plan.labels.length)
    const keptText =
      kept === null ? null : `${formatCount(kept)} of ${all} pictures are kept; the same command continues`
    if (code === null) {
      if (keptText !== null) output.notice(keptText)
      throw error
    }
    const isLost = place.anchor === null && place.outputs.singles !== null
    const lost = isLost ? 'what was written cannot be continued' : 'no samples were written'
    output.notice(`stopped; ${keptText ?? lost}`)
    return code
  } finally {
    interruption.dispose()
    await backend.dispose()
  }
}

/** Digests of all weights. */
async function digests(pipeline: Pipeline, weak: Pipeline | null): Promise<object> {
  return {
    weights: await engineDigest(pipeline.params),
    guide: weak === null ? null : await engineDigest(weak.params),
    autoencoder: await autoencoderDigest(pipeline.model),
  }
}

/** Size of the pictures of a model; null where there is nothing to see. */
function pictureSize({ network, autoencoder }: OpenModel): PictureSize | null {
  const [, h, w] = network.inputShape
  if (autoencoder === null) return isPixelModel(network) ? { height: h, width: w } : null
  const factor = spatialFactor(autoencoder.config)
  return { height: h * factor, width: w * factor }
}

/** What is sampled, in a line. */
function planText(
  { labels, classes, perClass, sampler, steps, layout, seed, guidance, strength }: SamplingPlan,
  flags: SampleFlags,
): string {
  const ofClasses =
    flags.conditions === undefined
      ? formatCounted(classes.length, 'class', 'classes')
      : formatCounted(classes.length, 'prompt', 'prompts')
  const what =
    perClass === null
      ? `${formatCounted(labels.length, 'picture', 'pictures')} of ${ofClasses} at random`
      : `${ofClasses} x ${perClass}`
  const laidOut = Object.entries(layout).map(([name, value]) => `, ${name} ${value}`)
  const count = sampler === 'dopri5' ? 'with its own steps' : formatCounted(steps, 'step', 'steps')
  const from =
    strength === null
      ? ''
      : `, from ${flags.image} at strength ${strength}${flags.mask === undefined ? '' : ` where ${flags.mask} is white`}`
  return `sample ${what}, ${sampler ?? "the pipeline's scheduler,"} ${count}${laidOut.join('')}, guidance ${typeof flags.guidance === 'string' ? flags.guidance : guidance.scale}${guidanceText(flags)}, seed ${seed}${from}`
}

/** What else was asked of guidance. */
function guidanceText({ guidanceInterval: interval, guidanceRescale: rescale, nullClass }: SampleFlags): string {
  return [
    interval === undefined ? '' : ` where sigma / alpha is ${interval.join(' to ')}`,
    rescale === undefined ? '' : `, rescaled by ${rescale}`,
    nullClass === undefined ? '' : ` away from class ${nullClass}`,
  ].join('')
}

/** Checks that latents, which are no pictures, are asked for as such. */
function checkLatents(flags: SampleFlags, name: string, channels: number, isShown: boolean): void {
  if (isShown) return
  if (flags.latents === undefined) {
    throw new UsageError(
      `${name} makes latents of ${channels} channels, not pictures; write them with --latents <file>, or give their autoencoder with --vae <folder>`,
    )
  }
  for (const flag of ['out', 'singles', 'npz', 'preview'] as const) {
    if (flags[flag] !== undefined && flags[flag] !== false) {
      throw new UsageError(
        `--${flag} writes pictures, but ${name} makes latents of ${channels} channels; use only --latents, or give --vae <folder>`,
      )
    }
  }
}
