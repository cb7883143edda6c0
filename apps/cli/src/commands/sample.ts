import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { gaussianDiffusion } from '@dit/diffusion'
import { checkParams, nullLabel } from '@dit/model'
import { dispose } from '@dit/tensor'
import { loadCheckpointParams } from '@dit/train-ddp'
import { Command } from 'commander'
import { chosenBackend } from '../engines/engine-options.js'
import { engineText, openEngine } from '../engines/open-engine.js'
import { toPictures } from '../images/pixels.js'
import { givenOptions } from '../options/config-file.js'
import { addSampleOptions, SAMPLE_DEFAULTS, type SampleFlags } from '../options/sample-options.js'
import { checkWritable } from '../run/run-folder.js'
import { writeWhole } from '../run/write-whole.js'
import { checkSampleMemory } from '../sampling/check-memory.js'
import { type FoundModel, findModel } from '../sampling/find-model.js'
import { parseClasses } from '../sampling/parse-classes.js'
import { imageShape, sampleClasses, type SamplerName, type SampleStep } from '../sampling/sample-classes.js'
import { type ClassPictures, classGrid, GRID_MAX, samplesNpz, writeSingles } from '../sampling/write-samples.js'
import { checkInput, EXIT, Failure, UsageError } from '../terminal/errors.js'
import { onInterrupt } from '../terminal/interrupt.js'
import { createOutput, type Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'

const EXAMPLES = `
Examples:
  dit sample --run runs/shapes
  dit sample --run runs/shapes --classes disc,cross --count 8 --guidance 2 --out some.png
  dit sample --checkpoint runs/shapes/checkpoints/step-0002000 --sampler ddim --steps 25
  dit sample --run runs/shapes --count 1000 --npz shapes.npz --quiet

Without a run to sample from: npm run demo (dit demo) trains a small one.`

/** `dit sample` */
export function sampleCommand(): Command {
  const command = new Command('sample')
    .summary('make pictures with a trained model')
    .description('Makes pictures with a trained model: a grid, single files, or npz for evaluation.')
  return addSampleOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const flags = givenOptions<SampleFlags>(command)
      process.exitCode = await sampleFromFlags(flags, createOutput(flags))
    })
}

/** What will be sampled and written, checked. */
interface SamplePlan {
  readonly model: FoundModel
  readonly classes: readonly number[]
  readonly count: number
  readonly steps: number
  readonly sampler: SamplerName
  readonly clip: boolean
  readonly guidanceChannels: number | 'all'
  readonly out: string
  readonly preview: string | null
  readonly singles: string | null
  readonly npz: string | null
}

/** Samples what flags ask for. Returns the exit code; errors are thrown. */
export async function sampleFromFlags(flags: SampleFlags, output: Output): Promise<number> {
  const plan = await planSamples(flags)
  const { store, path, config, step, folder } = plan.model
  const { backend, description } = await openEngine(chosenBackend(flags), flags)
  const interruption = onInterrupt(() => output.notice('stopping'))
  try {
    const params = await loadCheckpointParams(store, path, flags.raw === true ? 'model' : 'ema', backend)
    try {
      checkParams(config.model, params)
    } catch (cause) {
      throw new Failure(`${join(folder, path)} does not fit ${folder}/config.json: ${(cause as Error).message}`, {
        cause,
      })
    }
    output.line(`engine ${engineText(description)}`)
    for (const notice of plan.model.notices) output.notice(notice)
    output.line(`model  ${folder}, step ${step}, ${flags.raw === true ? 'trained' : 'averaged'} weights`)
    const { guidance = SAMPLE_DEFAULTS.guidance, seed = SAMPLE_DEFAULTS.seed } = flags
    output.line(
      `sample ${plan.classes.length} ${plan.classes.length === 1 ? 'class' : 'classes'} x ${plan.count}, ${plan.sampler} ${plan.steps} steps, guidance ${guidance}, seed ${seed}`,
    )
    const images = await drawSamples(flags, plan, { params, backend, signal: interruption.signal }, output)
    dispose(params)
    const written = await writeAll(plan, images)
    for (const text of written) output.line(text)
    output.event({ type: 'end', step, ...filesOf(plan) })
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

async function planSamples(flags: SampleFlags): Promise<SamplePlan> {
  const model = await findModel(flags)
  const { config, folder } = model
  const classes = parseClasses(flags.classes ?? SAMPLE_DEFAULTS.classes, config.classes)
  const channels = config.model.inChannels
  if (channels !== 1 && channels !== 3) {
    throw new UsageError(`${folder} is a model of ${channels} channels, not of pixels; only pixels can be shown`)
  }
  const { numTimesteps } = checkInput(() => gaussianDiffusion(config.recipe.diffusion))
  const steps = flags.steps ?? Math.min(SAMPLE_DEFAULTS.steps, numTimesteps)
  if (steps > numTimesteps) {
    throw new UsageError(`--steps ${steps} is more than the ${numTimesteps} timesteps that the model was trained with`)
  }
  const sampler = (flags.sampler ?? SAMPLE_DEFAULTS.sampler) as SamplerName
  if (flags.eta !== undefined && sampler !== 'ddim') throw new UsageError('--eta is for --sampler ddim')
  if ((flags.guidance ?? 1) !== 1 && nullLabel(config.model) === null) {
    throw new UsageError(`--guidance must be 1: ${folder} was trained with --class-dropout 0, so it has no null class`)
  }
  if (typeof flags.guidanceChannels === 'number' && flags.guidanceChannels > channels) {
    throw new UsageError(`--guidance-channels must be 1 to ${channels}, or all (got ${flags.guidanceChannels})`)
  }
  const count = flags.count ?? SAMPLE_DEFAULTS.count
  checkSampleMemory({
    model: config.model,
    count: count * classes.length,
    batchSize: flags.batch ?? SAMPLE_DEFAULTS.batch,
    isGuided: (flags.guidance ?? 1) !== 1,
  })
  const out = flags.out ?? join(folder, 'samples.png')
  if (!/\.png$/i.test(out)) throw new UsageError(`--out ${out}: the grid is a PNG; its name must end in .png`)
  const base = out.slice(0, -'.png'.length)
  const place = (flag: boolean | string | undefined, fallback: string) =>
    flag === undefined || flag === false ? null : flag === true ? fallback : flag
  const plan: SamplePlan = {
    model,
    classes,
    count,
    steps,
    sampler,
    clip: flags.clip ?? true,
    // `all` is parsed to null, absent is undefined.
    guidanceChannels: flags.guidanceChannels === null ? 'all' : (flags.guidanceChannels ?? 3),
    out,
    preview: flags.preview === true ? `${base}.preview.png` : null,
    singles: place(flags.singles, base),
    npz: place(flags.npz, `${base}.npz`),
  }
  await checkFile('--out', plan.out)
  if (plan.npz !== null) await checkFile('--npz', plan.npz)
  checkApart(plan)
  if (plan.singles !== null) await checkWritable('--singles', plan.singles)
  return plan
}

/** Checks that no output would overwrite another. */
function checkApart({ out, preview, npz, singles }: SamplePlan): void {
  const places = Object.entries({ '--out': out, 'the preview': preview, '--npz': npz, '--singles': singles })
  const taken = new Map<string, string>()
  for (const [what, path] of places) {
    if (path === null) continue
    const other = taken.get(resolve(path))
    if (other !== undefined) throw new UsageError(`${what} ${path}: ${other} has the same path; give another one`)
    taken.set(resolve(path), what)
  }
}

async function checkFile(flag: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory() === true) throw new UsageError(`${flag} ${path}: it is a folder, not a file`)
  await checkWritable(flag, dirname(path))
}

interface Loaded {
  readonly params: Awaited<ReturnType<typeof loadCheckpointParams>>
  readonly backend: Awaited<ReturnType<typeof openEngine>>['backend']
  readonly signal: AbortSignal
}

/** Previews in the course of a batch's steps. */
const PREVIEWS = 10

async function drawSamples(
  flags: SampleFlags,
  plan: SamplePlan,
  loaded: Loaded,
  output: Output,
): Promise<ClassPictures> {
  const { config } = plan.model
  const labels = plan.classes.flatMap((label) => Array<number>(plan.count).fill(label))
  const batchSize = flags.batch ?? SAMPLE_DEFAULTS.batch
  const total = Math.ceil(labels.length / batchSize) * plan.steps
  const named = (images: Float32Array): ClassPictures => ({
    pictures: toPictures(images, imageShape(config.model)),
    perClass: plan.count,
    names: plan.classes.map((label) => config.classes[label]),
  })
  const every = Math.max(1, Math.floor(plan.steps / PREVIEWS))
  const onStep = async ({ done, finished, preview }: SampleStep) => {
    progress.update(done, `${finished} of ${labels.length} pictures`)
    output.event({ type: 'step', done, total, finished })
    if (plan.preview !== null && (done % every === 0 || done === 1)) {
      await writeWhole(plan.preview, await classGrid(named(await preview())))
    }
  }
  const progress = showProgress(output, { total, unit: 'steps' })
  try {
    const images = await sampleClasses({
      model: config.model,
      diffusion: config.recipe.diffusion,
      ...loaded,
      labels,
      steps: plan.steps,
      sampler: plan.sampler,
      eta: flags.eta ?? SAMPLE_DEFAULTS.eta,
      guidance: flags.guidance ?? SAMPLE_DEFAULTS.guidance,
      guidanceChannels: plan.guidanceChannels,
      clip: plan.clip,
      seed: flags.seed ?? SAMPLE_DEFAULTS.seed,
      batchSize,
      onStep,
    })
    return named(images)
  } finally {
    progress.stop()
  }
}

/** Writes what was asked for; returns a line about each. */
async function writeAll(plan: SamplePlan, samples: ClassPictures): Promise<string[]> {
  const lines: string[] = []
  const { rows, columns } = GRID_MAX
  const isPart = samples.names.length > rows || samples.perClass > columns
  await writeWhole(plan.out, await classGrid(samples))
  lines.push(`grid   ${plan.out}${isPart ? ` (the first ${columns} pictures of the first ${rows} classes)` : ''}`)
  if (plan.singles !== null) lines.push(`files  ${await writeSingles(plan.singles, samples)} in ${plan.singles}`)
  if (plan.npz !== null) {
    await writeWhole(plan.npz, samplesNpz(samples.pictures))
    lines.push(`npz    ${plan.npz}`)
  }
  return lines
}

function filesOf({ out, singles, npz }: SamplePlan): object {
  return { out, singles, npz }
}
