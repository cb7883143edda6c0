import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { openModel } from '@dit/pipeline/node'
import type { Card } from './card.js'
import { drawSamples } from './draw-samples.js'
import { drawImages } from './images.js'
import { classify, evaluate, type Evaluated } from './measure.js'
import type { ModelSpec, Prepared, Sizes } from './model-spec.js'
import { keepProgress, openProgress } from './progress.js'
import { runDit } from './run-dit.js'

/** Most bytes of a published file. */
export const MOST_BYTES = 12e6

/** What a call of the tool asks for. */
export interface BuildOptions {
  /** Training stops after so many minutes, to be continued by the same call. */
  readonly minutes: number
  /** Feature extractors besides `small`: files as `dit eval --extractor` takes them. */
  readonly extractors: readonly string[]
  readonly sizes: Sizes
}

/** What lies in a finished work folder. */
export interface Built {
  readonly card: Card
  readonly weights: string
  /** A folder of PNGs. */
  readonly images: string
}

/**
 * Builds a model in a work folder, stage by stage: pictures, training, weights in half precision, samples, measures, images. A finished
 * stage is not repeated, and one that was stopped goes on or begins anew.
 *
 * @returns null where training was stopped before its end
 */
export async function build(
  spec: ModelSpec,
  source: string,
  folder: string,
  { minutes, extractors, sizes }: BuildOptions,
): Promise<Built | null> {
  const { model, size } = spec
  const settings = { model: model.name, source, flags: spec.flags, sizes, sampling: model.sampling, extractors }
  let progress = await openProgress(folder, settings)
  const stage = async <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
    if (Object.hasOwn(progress.done, name)) return progress.done[name] as Result
    console.log(`\n== ${model.name}: ${name}`)
    const result = await work()
    progress = { ...progress, done: { ...progress.done, [name]: result } }
    await keepProgress(folder, progress)
    return result
  }

  const [heldOut, training] = [join(folder, 'held-out'), join(folder, 'training')]
  const prepared = await stage<Prepared>('pictures', async () => {
    await Promise.all([heldOut, training].map(async (one) => rm(one, { recursive: true, force: true })))
    return spec.prepare(source, sizes, { work: folder, heldOut, training })
  })

  const run = trainedRun(spec, folder)
  if (!Object.hasOwn(progress.done, 'training')) {
    console.log(`\n== ${model.name}: training`)
    const began = performance.now()
    // Stages go on with the command that began them.
    const isBegun = spec.student === undefined && existsSync(join(run, 'config.json'))
    const isDone = await runDit(isBegun ? ['train', '--resume', run] : trainArguments(spec, sizes, prepared, folder), {
      minutes,
    })
    const trainingSeconds = progress.trainingSeconds + (performance.now() - began) / 1000
    progress = { ...progress, trainingSeconds, done: isDone ? { ...progress.done, training: true } : progress.done }
    await keepProgress(folder, progress)
    if (!isDone) return null
  }

  const weights = join(folder, `${model.name}.safetensors`)
  const file = await stage('weights', async () => {
    await runDit(['convert', run, weights, '--dtype', 'f16', '--force'])
    const bytes = await readFile(weights)
    if (bytes.length > MOST_BYTES) {
      throw new Error(`${weights} must be at most ${MOST_BYTES / 1e6} MB (it is ${(bytes.length / 1e6).toFixed(1)} MB)`)
    }
    return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), dtype: 'f16' as const }
  })

  const samples = join(folder, 'samples')
  const perClass = sizes.heldOutPerClass
  const numSamples = await stage('samples', async () =>
    drawSamples(model, weights, { folder, samples, perClass, size }),
  )

  const evaluations: Evaluated[] = []
  for (const extractor of ['small', ...extractors]) {
    evaluations.push(
      await stage(`evaluation by ${extractor}`, async () =>
        evaluate({ folder, samples, heldOut, training, size, extractor }),
      ),
    )
  }
  const classifier = await stage('classifier', async () =>
    classify({ samples, heldOut, training, size, perClass: sizes.trainingPerClass }),
  )

  const images = join(folder, 'images')
  await stage('images', async () => {
    await rm(images, { recursive: true, force: true })
    await mkdir(`${images}.partial`, { recursive: true })
    await drawImages(spec, { samples, evaluation: evaluations[0].path, out: `${images}.partial` })
    await rename(`${images}.partial`, images)
    return true
  })

  const card: Card = {
    format: 'dit-card-1',
    name: model.name,
    file,
    ...(await networkOf(weights)),
    training: {
      command: commandOf(spec, sizes),
      steps: sizes.steps,
      batch: sizes.batch,
      pictures: prepared.numTraining,
      minutes: Math.round(progress.trainingSeconds / 60),
      processors: availableParallelism(),
      ...(await engineOf(run)),
    },
    heldOut: classifier.heldOut.count,
    sampling: { ...model.sampling },
    numSamples,
    measures: evaluations.flatMap(({ measures }) => measures),
    classifier,
    copies: { ...evaluations[0].copies!, among: prepared.copiesAmong },
  }
  return { card, weights, images }
}

/** The run whose weights are published: of a student the last stage. */
function trainedRun({ student }: ModelSpec, folder: string): string {
  if (student === undefined) return join(folder, 'run')
  return join(folder, 'stages', `${student.numSteps}-${student.numSteps === 1 ? 'step' : 'steps'}`)
}

function trainArguments(spec: ModelSpec, sizes: Sizes, { data }: Prepared, folder: string): string[] {
  const [keep, out] = spec.student === undefined ? ['2', 'run'] : ['1', 'stages']
  const keeping = ['--checkpoint-every', '500', '--keep-last', keep, '--sample-every', '2000']
  return [...wordsOf(spec, sizes), '--data', data, ...keeping, '--out', join(folder, out)]
}

/** The command without the places of data and run. */
const commandOf = (spec: ModelSpec, sizes: Sizes) => ['dit', ...wordsOf(spec, sizes)].join(' ')

function wordsOf({ size, flags, student }: ModelSpec, { steps, batch }: Sizes): string[] {
  const length = ['--steps', steps, '--batch', batch].map(String)
  if (student === undefined) return ['train', '--size', String(size), ...length, ...flags]
  const stages = ['--from', `@dit/pretrained/${student.teacher.name}`, '--last', String(student.numSteps)]
  return ['distill', ...stages, ...length, ...flags]
}

/** What the file of weights says of itself. */
async function networkOf(weights: string): Promise<Pick<Card, 'network' | 'parameters' | 'classes'>> {
  const opened = await openModel(weights)
  const parameters = [...opened.weights.entries.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1),
    0,
  )
  await opened.close()
  return { network: { ...opened.description.network }, parameters, classes: opened.names }
}

async function engineOf(run: string): Promise<Pick<Card['training'], 'engine' | 'node'>> {
  const { engine, versions } = JSON.parse(await readFile(join(run, 'config.json'), 'utf8')) as {
    readonly engine: { readonly name: string; readonly instructionSet: string | null }
    readonly versions: { readonly node: string }
  }
  return { engine: [engine.name, engine.instructionSet].filter((part) => part !== null).join(' '), node: versions.node }
}
