import { mostSteps, openModel, openPipeline, type Picture, type Pipeline, type SampleOptions } from '@dit/pipeline'
import type { Backend, Params } from '@dit/tensor'
import { startProblem, type WeightsAbout } from './from-weights.js'
import type { DrawnPicture, FromTrainer } from './messages.js'
import type { PageSettings } from './settings.js'

/** Most pictures that are drawn of a file: one of each class, or so many of classes at random. */
const MOST_PICTURES = 18
/** Denoising steps, where the process has as many; and guidance, where the network has learned to do without a class. */
const [STEPS, GUIDANCE] = [12, 1.5]

/** One file of weights, from which pictures are drawn. */
export interface WeightsDesk {
  /** Opens a file in place of the one that is open, and draws. */
  open(file: Blob): Promise<void>
  draw(seed: number): Promise<void>
  /** Gives back what the open file holds; a drawing ends. */
  close(): void
}

/** Draws with files of weights, of this page or of `dit convert`. */
export function weightsDesk(
  engine: () => Promise<{ readonly backend: Backend }>,
  post: (message: FromTrainer) => void,
): WeightsDesk {
  let opened: Pipeline | null = null
  let work = new AbortController()

  function close(): void {
    work.abort()
    opened?.dispose()
    opened = null
  }

  /** Does something for the file that is open, until another is. */
  async function during(what: (signal: AbortSignal) => Promise<void>): Promise<void> {
    work.abort()
    const mine = new AbortController()
    work = mine
    try {
      await what(mine.signal)
    } catch (error) {
      if (mine.signal.aborted) return
      close()
      post({ kind: 'weights-problem', text: weightsText(error) })
    }
  }

  async function drawWith(dit: Pipeline, seed: number, signal: AbortSignal): Promise<void> {
    const { classNames } = dit
    const which = classNames.length <= MOST_PICTURES ? { classes: 'all', count: 1 } : { total: MOST_PICTURES }
    const steps = dit.sample({ ...samplingOf(dit), ...which, seed, signal })
    let pictures: readonly DrawnPicture[] = []
    for await (const step of steps) {
      const { done, total } = step
      post({ kind: 'drawing', done, total })
      if (done === total) pictures = (await step.pictures()).map(drawnPicture)
      // Lets in what the page asks meanwhile.
      await new Promise((goOn) => setTimeout(goOn))
      signal.throwIfAborted()
    }
    post({ kind: 'drawn', seed, pictures })
  }

  return {
    open: (file) =>
      during(async (signal) => {
        opened?.dispose()
        opened = null
        const { backend } = await engine()
        const dit = await openPipeline(file, { backend })
        if (signal.aborted) {
          dit.dispose()
          return
        }
        opened = dit
        // Refuses latents, before they are drawn in vain.
        await dit.decode(new Float32Array())
        post({ kind: 'opened', about: aboutOf(dit.model) })
        await drawWith(dit, 0, signal)
      }),
    draw: (seed) =>
      during(async (signal) => {
        if (opened === null) throw new Error('no file of weights is open')
        await drawWith(opened, seed, signal)
      }),
    close,
  }
}

/**
 * Checks that a training may begin with the weights of a file, and reads it.
 *
 * @throws RangeError that names the field that differs
 */
export async function readStart(file: Blob | Uint8Array, settings: PageSettings, backend: Backend): Promise<Params> {
  const model = await openModel(file)
  try {
    const problem = startProblem(aboutOf(model), settings)
    if (problem !== null) throw new RangeError(`this page cannot go on from ${model.name}: ${problem}`)
    return (await model.load(backend)) as Params
  } finally {
    await model.close()
  }
}

/** How pictures are drawn in this page, with whatever network. */
export function samplingOf({ model: { process, network } }: Pipeline): SampleOptions {
  return {
    sampler: 'dpmpp-2m',
    // The solver needs a timestep more than it takes steps.
    steps: process === null ? STEPS : Math.max(1, Math.min(STEPS, mostSteps(process) - 1)),
    guidance: network.nullLabel === null ? 1 : GUIDANCE,
  }
}

/** Of a picture, what goes to the page. */
export function drawnPicture({ data, width, className }: Picture): DrawnPicture {
  return { data, width, className }
}

function aboutOf({ name, description, process, names, weights }: Pipeline['model']): WeightsAbout {
  let numParameters = 0
  for (const { shape } of weights.entries.values()) numParameters += shape.reduce((size, extent) => size * extent, 1)
  return { name, network: description.network, process, classNames: names, numParameters }
}

/** Why a file could not be drawn with, and what to open in its place. */
function weightsText(error: unknown): string {
  const { message } = error as Error
  return `${message}. Open a .safetensors file that this page exported, or that \`dit convert <run> weights.safetensors\` wrote.`
}
