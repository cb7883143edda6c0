import { join } from 'node:path'
import { nullLabel, type ParameterSource } from '@dit/model'
import type { PipelineSampler } from '@dit/sampler'
import type { Spacing } from '@dit/schedules'
import { dispose, type Params } from '@dit/tensor'
import { Command } from 'commander'
import { chosenBackend } from '../engines/engine-options.js'
import { engineText, openEngine } from '../engines/open-engine.js'
import { type Pictures, toPictures } from '../images/pixels.js'
import { givenOptions } from '../settings/config-file.js'
import { SAMPLE_HELP } from '../settings/sample-help.js'
import { addSampleOptions, SAMPLE_DEFAULTS, type SampleFlags } from '../settings/sample-options.js'
import { writeWhole } from '../run/write-whole.js'
import { checkFlowFlags, readRecordedFiles, type RecordedFiles, sdeSettings } from '../sampling/check-flow-flags.js'
import { checkOutputs } from '../sampling/check-outputs.js'
import { checkSampleMemory } from '../sampling/check-memory.js'
import { findGuide } from '../sampling/guide-source.js'
import { findSource, type SampleSource } from '../sampling/sample-source.js'
import { parseClasses } from '../sampling/parse-classes.js'
import { imagenetName, parseImagenet } from '../sampling/parse-imagenet.js'
import { imageShape, sampleClasses, type SampleOptions, type SampleStep } from '../sampling/sample-classes.js'
import {
  checkedSteps,
  checkGuidance,
  checkLayout,
  checkSampler,
  defaultSampler,
  layoutOf,
  spacingNotice,
  type SamplerName,
} from '../sampling/sampler-names.js'
import { checkVaeFits, decodePictures, openVae, readVaeConfig } from '../sampling/vae-folder.js'
import {
  type ClassPictures,
  classGrid,
  GRID_MAX,
  latentsNpz,
  samplesNpz,
  trajectoryNpz,
  writeSingles,
} from '../sampling/write-samples.js'
import { EXIT, Failure, UsageError } from '../terminal/errors.js'
import { onInterrupt } from '../terminal/interrupt.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'

/** `dit sample` */
export function sampleCommand(call: Call): Command {
  const command = new Command('sample')
    .summary('make pictures with a trained model')
    .description('Makes pictures with a trained model: a grid, single files, or npz for evaluation.')
  return addSampleOptions(command)
    .addHelpText('after', SAMPLE_HELP)
    .action(async () => {
      const flags = givenOptions<SampleFlags>(command)
      call.exitCode = await sampleFromFlags(flags, createOutput(flags, call))
    })
}

/** What will be sampled and written, checked. */
interface SamplePlan {
  readonly source: SampleSource
  readonly classes: readonly number[]
  readonly count: number
  readonly steps: number
  readonly sampler: SamplerName | PipelineSampler
  readonly clip: boolean
  readonly guidanceChannels: number | 'all'
  readonly recorded: RecordedFiles
  /** Folder of the autoencoder that decodes latents. */
  readonly vae: string | null
  /** The grid; null for latents, which are no pictures. */
  readonly out: string | null
  readonly latents: string | null
  readonly trajectory: string | null
  readonly preview: string | null
  readonly singles: string | null
  readonly npz: string | null
}

/** Samples what flags ask for. Returns the exit code; errors are thrown. */
export async function sampleFromFlags(flags: SampleFlags, output: Output): Promise<number> {
  const source = await findSource(flags)
  let guide: SampleSource | null = null
  try {
    const plan = await planSamples(flags, source)
    if (flags.guide !== undefined) guide = await findGuide(flags.guide, flags, source)
    return await sampleFrom(plan, guide, flags, output)
  } finally {
    await guide?.close()
    await source.close()
  }
}

async function sampleFrom(
  plan: SamplePlan,
  guide: SampleSource | null,
  flags: SampleFlags,
  output: Output,
): Promise<number> {
  const { source } = plan
  const { backend, description } = await openEngine(chosenBackend(flags), flags)
  const interruption = onInterrupt(() => output.notice('stopping'))
  try {
    const params = await source.load(backend)
    const weak = guide === null ? undefined : { model: guide.model, params: await guide.load(backend) }
    output.line(`engine ${engineText(description)}`)
    for (const notice of source.notices) output.notice(notice)
    output.line(`model  ${source.title}`)
    if (guide !== null) output.line(`guide  ${guide.title}`)
    const { guidance = SAMPLE_DEFAULTS.guidance, seed = SAMPLE_DEFAULTS.seed } = flags
    const layout = typeof plan.sampler === 'function' ? {} : layoutOf(flags, source.process)
    const laidOut = Object.entries(layout).map(([name, value]) => `, ${name} ${value}`)
    const notice =
      typeof plan.sampler === 'function' ? null : spacingNotice(flags.spacing, plan.sampler, source.process)
    if (notice !== null) output.notice(notice)
    const steps = plan.sampler === 'dopri5' ? 'with steps of its own' : `${plan.steps} steps`
    output.line(
      `sample ${plan.classes.length} ${plan.classes.length === 1 ? 'class' : 'classes'} x ${plan.count}, ${typeof plan.sampler === 'function' ? "the pipeline's scheduler," : plan.sampler} ${steps}${laidOut.join('')}, guidance ${guidance}${guidanceText(flags)}, seed ${seed}`,
    )
    const samples = await drawSamples(
      flags,
      plan,
      { params, backend, guide: weak, signal: interruption.signal },
      output,
    )
    for (const held of [params, weak?.params]) {
      if (held === undefined) continue
      if (isHeld(held)) held.dispose()
      else dispose(held)
    }
    const written = await writeAll(plan, samples)
    for (const text of written) output.line(text)
    output.event({ type: 'end', step: source.step, ...layout, ...filesOf(plan) })
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

/** What else was asked of guidance. */
function guidanceText({ guidanceInterval: interval, guidanceRescale: rescale, nullClass }: SampleFlags): string {
  return [
    interval === undefined ? '' : ` where sigma / alpha is ${interval.join(' to ')}`,
    rescale === undefined ? '' : `, rescaled by ${rescale}`,
    nullClass === undefined ? '' : ` away from class ${nullClass}`,
  ].join('')
}

async function planSamples(flags: SampleFlags, source: SampleSource): Promise<SamplePlan> {
  const { model, name, folder } = source
  const isLarge = source.classes.length > MOST_CLASSES && flags.classes === undefined
  if (isLarge) throw new UsageError(`--classes is needed: ${name} has ${source.classes.length}; all takes every one`)
  const asked = flags.classes ?? SAMPLE_DEFAULTS.classes
  const classes = isImagenet(source) ? parseImagenet(asked) : parseClasses(asked, source.classes)
  const channels = model.inChannels
  const vae = await findVae(flags, source)
  const isPixels = channels === 1 || channels === 3
  const isShown = isPixels || vae !== null
  checkLatents(flags, name, channels, isShown)
  const sampler =
    flags.sampler === undefined
      ? (source.sampler ?? defaultSampler(source.process))
      : checkSampler(flags.sampler as SamplerName, source.process)
  const named = typeof sampler === 'function' ? null : sampler
  checkLayout(flags, named, source.process)
  checkGuidance(flags, named)
  const steps = checkedSteps(flags, named, source.process, SAMPLE_DEFAULTS.steps)
  if (flags.eta !== undefined && sampler !== 'ddim' && typeof sampler !== 'function')
    throw new UsageError('--eta is for --sampler ddim')
  const samplerName = typeof sampler === 'function' ? null : sampler
  checkFlowFlags(samplerName, flags)
  const none = nullLabel(model)
  if (flags.nullClass !== undefined && flags.nullClass > (none ?? model.numClasses - 1)) {
    throw new UsageError(
      `--null-class ${flags.nullClass}: ${name} has the classes 0 to ${none ?? model.numClasses - 1}`,
    )
  }
  if ((flags.guidance ?? 1) !== 1 && none === null && flags.nullClass === undefined && flags.guide === undefined) {
    throw new UsageError(`--guidance must be 1: ${name} was trained with --class-dropout 0, so it has no null class`)
  }
  if (typeof flags.guidanceChannels === 'number' && flags.guidanceChannels > channels) {
    throw new UsageError(`--guidance-channels must be 1 to ${channels}, or all (got ${flags.guidanceChannels})`)
  }
  const count = flags.count ?? SAMPLE_DEFAULTS.count
  checkSampleMemory({
    model,
    isHalf: flags.half !== undefined,
    count: count * classes.length,
    batchSize: flags.batch ?? SAMPLE_DEFAULTS.batch,
    isGuided: (flags.guidance ?? 1) !== 1,
  })
  const recorded = await readRecordedFiles(flags, samplerName, steps, [count * classes.length, ...imageShape(model)])
  const out = flags.out ?? join(folder, 'samples.png')
  if (isShown && !/\.png$/i.test(out))
    throw new UsageError(`--out ${out}: the grid is a PNG; its name must end in .png`)
  const base = out.slice(0, -'.png'.length)
  const place = (flag: boolean | string | undefined, fallback: string) =>
    flag === undefined || flag === false ? null : flag === true ? fallback : flag
  const plan: SamplePlan = {
    source,
    classes,
    count,
    steps,
    sampler,
    clip: flags.clip ?? (vae === null && isPixels),
    // `all` is parsed to null, absent is undefined.
    guidanceChannels: flags.guidanceChannels === null ? 'all' : (flags.guidanceChannels ?? source.guidanceChannels),
    recorded,
    vae,
    out: isShown ? out : null,
    latents: flags.latents ?? null,
    trajectory: flags.trajectory ?? null,
    preview: flags.preview === true ? `${base}.preview.png` : null,
    singles: place(flags.singles, base),
    npz: place(flags.npz, `${base}.npz`),
  }
  await checkOutputs(plan)
  return plan
}

/** Whether the names of ImageNet's classes are those of the model: weights tell no names. */
function isImagenet({ step, classes }: SampleSource): boolean {
  return step === null && classes.length === 1000
}

/** Folder of the autoencoder that flags name, or that of a pipeline. */
async function findVae(flags: SampleFlags, source: SampleSource): Promise<string | null> {
  const given = flags.vae ?? source.vae
  if (given === null) return null
  checkVaeFits(given, (await readVaeConfig(given)).config, source.model.inChannels, source.name)
  if (flags.preview === true) throw new UsageError('--preview shows pixels; leave it out with an autoencoder')
  return given
}

/** Checks that latents, which are no pictures, are asked for as such. */
function checkLatents(flags: SampleFlags, name: string, channels: number, isShown: boolean): void {
  if (isShown) return
  if (flags.latents === undefined) {
    throw new UsageError(
      `${name} is a model of ${channels} channels, not of pixels: its samples are latents; write them with --latents <file>, or give their autoencoder with --vae <folder>`,
    )
  }
  for (const flag of ['out', 'singles', 'npz', 'preview'] as const) {
    if (flags[flag] !== undefined && flags[flag] !== false) {
      throw new UsageError(
        `--${flag} is for pictures, but ${name} is a model of ${channels} channels; use --latents alone`,
      )
    }
  }
}

interface Loaded {
  readonly params: Params | ParameterSource
  readonly guide: SampleOptions['guide']
  readonly backend: Awaited<ReturnType<typeof openEngine>>['backend']
  readonly signal: AbortSignal
}

/** Whether weights are held in half precision. */
function isHeld(params: Params | ParameterSource): params is ParameterSource {
  return typeof params['load'] === 'function'
}

/** Most classes that are sampled without being asked for. */
const MOST_CLASSES = 100

/** Previews in the course of a batch's steps. */
const PREVIEWS = 10

/** Samples as the model makes them, and as pictures where they are. */
interface Drawn {
  readonly images: Float32Array
  readonly pictures: ClassPictures | null
  /** All samples after each step; empty where nobody asks for them. */
  readonly states: readonly Float32Array[]
}

async function drawSamples(flags: SampleFlags, plan: SamplePlan, loaded: Loaded, output: Output): Promise<Drawn> {
  const { model, process, classes } = plan.source
  const labels = plan.classes.flatMap((label) => Array<number>(plan.count).fill(label))
  const batchSize = flags.batch ?? SAMPLE_DEFAULTS.batch
  const total = Math.ceil(labels.length / batchSize) * plan.steps
  const named = (pictures: Pictures): ClassPictures => ({
    pictures,
    perClass: plan.count,
    names: plan.classes.map((label) => (isImagenet(plan.source) ? imagenetName(label) : classes[label])),
  })
  const shape = imageShape(model)
  const every = Math.max(1, Math.floor(plan.steps / PREVIEWS))
  const states: Float32Array[] = []
  const onStep = async ({ done, finished, preview, index, first, state }: SampleStep) => {
    if (plan.trajectory !== null) {
      const now = await state()
      states[index] ??= new Float32Array(labels.length * shape[0] * shape[1] * shape[2])
      states[index].set(now, first * shape[0] * shape[1] * shape[2])
    }
    progress.update(done, `${finished} of ${labels.length} pictures`)
    output.event({ type: 'step', done, total, finished })
    if (plan.preview !== null && (done % every === 0 || done === 1)) {
      await writeWhole(plan.preview, await classGrid(named(toPictures(await preview(), shape))))
    }
  }
  const progress = showProgress(output, { total, unit: 'steps' })
  try {
    const images = await sampleClasses({
      model,
      process,
      ...loaded,
      labels,
      steps: plan.steps,
      sampler: plan.sampler,
      spacing: flags.spacing as Spacing | undefined,
      shift: flags.shift,
      eta: flags.eta ?? SAMPLE_DEFAULTS.eta,
      guidance: flags.guidance ?? SAMPLE_DEFAULTS.guidance,
      guidanceChannels: plan.guidanceChannels,
      guidanceInterval: flags.guidanceInterval,
      guidanceRescale: flags.guidanceRescale,
      nullClass: flags.nullClass,
      clip: plan.clip,
      sde: sdeSettings(flags),
      tolerance: { rtol: flags.rtol, atol: flags.atol },
      ...plan.recorded,
      seed: flags.seed ?? SAMPLE_DEFAULTS.seed,
      batchSize,
      onStep,
    })
    if (!images.every(Number.isFinite)) {
      throw new Failure(
        'the samples are not finite: the weights hold such numbers, or the steps diverged; nothing was written',
      )
    }
    if (plan.out === null) return { images, states, pictures: null }
    if (plan.vae === null) return { images, states, pictures: named(toPictures(images, shape)) }
    const vae = await openVae(plan.vae, loaded.backend)
    const pictures = await decodePictures(vae, loaded.backend, images, shape)
    dispose(vae.params)
    return { images, states, pictures: named(pictures) }
  } finally {
    progress.stop()
  }
}

/** Writes what was asked for; returns a line about each. */
async function writeAll(plan: SamplePlan, { images, pictures, states }: Drawn): Promise<string[]> {
  const lines: string[] = []
  if (plan.latents !== null) {
    await writeWhole(plan.latents, latentsNpz(images, imageShape(plan.source.model)))
    lines.push(`latents ${plan.latents}`)
  }
  if (plan.trajectory !== null) {
    await writeWhole(plan.trajectory, trajectoryNpz(states, imageShape(plan.source.model)))
    lines.push(`states ${plan.trajectory}`)
  }
  if (plan.out === null || pictures === null) return lines
  const { rows, columns } = GRID_MAX
  const isPart = pictures.names.length > rows || pictures.perClass > columns
  await writeWhole(plan.out, await classGrid(pictures))
  lines.push(`grid   ${plan.out}${isPart ? ` (the first ${columns} pictures of the first ${rows} classes)` : ''}`)
  if (plan.singles !== null) lines.push(`files  ${await writeSingles(plan.singles, pictures)} in ${plan.singles}`)
  if (plan.npz !== null) {
    await writeWhole(plan.npz, samplesNpz(pictures.pictures))
    lines.push(`npz    ${plan.npz}`)
  }
  return lines
}

function filesOf({ out, singles, npz, latents, trajectory }: SamplePlan): object {
  return { out, singles, npz, latents, ...(trajectory === null ? {} : { trajectory }) }
}
