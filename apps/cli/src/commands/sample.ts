import {
  createPipeline,
  isPixelModel,
  lastSamples,
  type OpenModel,
  OptionError,
  type Pictures,
  type Pipeline,
  planSampling,
  sampleShape,
  type SampleOptions,
  type SampleStep,
  type SamplingPlan,
  shortName,
} from '@dit/pipeline'
import { dirname } from 'node:path'
import { Command } from 'commander'
import { chosenBackend } from '../engines/engine-options.js'
import { openEngine } from '../engines/open-engine.js'
import { showEngine } from '../engines/show-engine.js'
import { writeWhole } from '../run/write-whole.js'
import { checkSampleMemory, needsTiles } from '../samples/check-memory.js'
import { type Outputs, resolveOutputs } from '../samples/outputs.js'
import { fileOf, optionsOf } from '../samples/options-of.js'
import { SAMPLE_HELP } from '../samples/sample-help.js'
import { addSampleOptions, type SampleFlags } from '../samples/sample-settings.js'
import {
  type ClassPictures,
  classGrid,
  GRID_MAX,
  latentsNpz,
  samplesNpz,
  trajectoryNpz,
  writeSingles,
} from '../samples/write-samples.js'
import { givenOptions } from '../settings/config-file.js'
import { inFlags } from '../settings/option-flag.js'
import { openModelOf, openNamed } from '../settings/model-source.js'
import { MODEL_ARGUMENT } from '../settings/source-settings.js'
import { path } from '../settings/values.js'
import { EXIT, Failure, UsageError } from '../terminal/errors.js'
import { onInterrupt } from '../terminal/interrupt.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'

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
      call.exitCode = await sampleFromFlags(model, flags, createOutput(flags, call))
    })
}

/** What will be sampled and written, checked. */
interface Job {
  readonly model: OpenModel
  readonly guide: OpenModel | null
  readonly options: SampleOptions
  readonly plan: SamplingPlan
  readonly outputs: Outputs
}

/** Samples what flags ask for. Returns the exit code; errors are thrown. */
async function sampleFromFlags(given: string | undefined, flags: SampleFlags, output: Output): Promise<number> {
  const model = await openModelOf(given, flags, 'dit sample')
  let guide: OpenModel | null = null
  try {
    const options = await optionsOf(flags, model)
    // Once before the guide is opened, so that what is wrong without it is told first.
    const alone = flags.guide === undefined ? options : { ...options, guide: { model, params: {} } }
    await withFileNames(flags, () => planSampling(model, alone))
    if (flags.guide !== undefined) {
      const { raw, half, heads } = flags
      guide = await openNamed(flags.guide, { raw, half, heads })
    }
    return await sampleFrom(await checkJob(flags, model, options, guide), flags, output)
  } finally {
    await guide?.close()
    await model.close()
  }
}

async function checkJob(
  flags: SampleFlags,
  model: OpenModel,
  own: SampleOptions,
  guide: OpenModel | null,
): Promise<Job> {
  const { network } = model.description
  const channels = network.inChannels
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
    model: network,
    isHalf: flags.half !== undefined,
    count: plan.labels.length,
    batchSize: plan.batchSize,
    isGuided: plan.guidance.scale !== 1,
    ...(guide === null ? {} : { guide: guide.description.network }),
  })
  const outputs = await resolveOutputs(flags, folderOf(model), isShown)
  return { model, guide, options, plan, outputs }
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
  const { model, guide, plan, outputs } = job
  const engine = await openEngine(chosenBackend(flags), flags)
  const { backend, description } = engine
  const interruption = onInterrupt(() => output.notice('stopping'))
  try {
    const half = flags.half === undefined ? {} : { half: flags.half }
    const pipeline = await createPipeline(model, { backend, ...half })
    const weak = guide === null ? null : await createPipeline(guide, { backend, ...half })
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
    const options = { ...job.options, tile, signal: interruption.signal, ...(weak === null ? {} : { guide: weak }) }
    const drawn = await drawSamples(pipeline, options, job, output)
    pipeline.dispose()
    weak?.dispose()
    for (const text of await writeAll(job, drawn)) output.line(text)
    const { out, singles, npz, latents, trajectory } = outputs
    const files = { out, singles, npz, latents, ...(trajectory === null ? {} : { trajectory }) }
    output.event({ type: 'end', step: model.step, ...plan.layout, ...files })
    return EXIT.ok
  } catch (error) {
    const code = interruption.exitCode()
    if (code === null) throw error
    output.notice('stopped; no samples were written')
    return code
  } finally {
    interruption.dispose()
    await backend.dispose()
  }
}

/** What is sampled, in a line. */
function planText(
  { classes, perClass, sampler, steps, layout, seed, guidance, strength }: SamplingPlan,
  flags: SampleFlags,
): string {
  const laidOut = Object.entries(layout).map(([name, value]) => `, ${name} ${value}`)
  const count = sampler === 'dopri5' ? 'with its own steps' : `${steps} steps`
  const from =
    strength === null
      ? ''
      : `, from ${flags.image} at strength ${strength}${flags.mask === undefined ? '' : ` where ${flags.mask} is white`}`
  return `sample ${classes.length} ${classes.length === 1 ? 'class' : 'classes'} x ${perClass}, ${sampler ?? "the pipeline's scheduler,"} ${count}${laidOut.join('')}, guidance ${guidance.scale}${guidanceText(flags)}, seed ${seed}${from}`
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

/** Previews in the course of a batch's steps. */
const PREVIEWS = 10

/** Samples as the model makes them, and as pictures where they are. */
interface Drawn {
  readonly samples: Float32Array
  readonly pictures: ClassPictures | null
  /** All samples after each step; empty where nobody asks for them. */
  readonly states: readonly Float32Array[]
}

async function drawSamples(
  pipeline: Pipeline,
  options: SampleOptions,
  { model, plan, outputs }: Job,
  output: Output,
): Promise<Drawn> {
  const { labels, classes, perClass } = plan
  const total = Math.ceil(labels.length / plan.batchSize) * plan.stepsTaken
  const named = (pictures: Pictures): ClassPictures => ({
    pictures,
    perClass,
    names: classes.map((label) => shortName(model, label)),
  })
  const size = sampleShape(model.description.network).reduce((a, b) => a * b)
  const every = Math.max(1, Math.floor(plan.stepsTaken / PREVIEWS))
  const states: Float32Array[] = []
  const progress = showProgress(output, { total, unit: 'steps' })
  const onStep = async ({ done, finished, index, first, state, estimates }: SampleStep) => {
    if (outputs.trajectory !== null) {
      const now = await state()
      states[index] ??= new Float32Array(labels.length * size)
      states[index].set(now, first * size)
    }
    progress.update(done, `${finished} of ${labels.length} pictures`)
    output.event({ type: 'step', done, total, finished })
    if (outputs.preview !== null && (done % every === 0 || done === 1)) {
      await writeWhole(outputs.preview, await classGrid(named(await pipeline.decode(await estimates(), options))))
    }
  }
  try {
    const samples = await lastSamples(pipeline.sample(options), onStep)
    if (!samples.every(Number.isFinite)) {
      throw new Failure(
        'the samples are not finite numbers: the weights are not finite, or sampling diverged; nothing was written',
      )
    }
    if (outputs.out === null) return { samples, states, pictures: null }
    return { samples, states, pictures: named(await pipeline.decode(samples, options)) }
  } finally {
    progress.stop()
  }
}

/** Writes what was asked for; returns a line about each. */
async function writeAll({ model, outputs }: Job, { samples, pictures, states }: Drawn): Promise<string[]> {
  const lines: string[] = []
  const shape = sampleShape(model.description.network)
  const { out, latents, trajectory, singles, npz } = outputs
  if (latents !== null) {
    await writeWhole(latents, latentsNpz(samples, shape))
    lines.push(`latents ${latents}`)
  }
  if (trajectory !== null) {
    await writeWhole(trajectory, trajectoryNpz(states, shape))
    lines.push(`states ${trajectory}`)
  }
  if (out === null || pictures === null) return lines
  const { rows, columns } = GRID_MAX
  const isPart = pictures.names.length > rows || pictures.perClass > columns
  await writeWhole(out, await classGrid(pictures))
  lines.push(`grid   ${out}${isPart ? ` (the first ${columns} pictures of the first ${rows} classes)` : ''}`)
  if (singles !== null) lines.push(`files  ${await writeSingles(singles, pictures)} in ${singles}`)
  if (npz !== null) {
    await writeWhole(npz, samplesNpz(pictures.pictures))
    lines.push(`npz    ${npz}`)
  }
  return lines
}
