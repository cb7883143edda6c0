import { openPipeline } from '@dit/pipeline'
import { type Backend, dispose, type Params } from '@dit/tensor'
import {
  classConditional,
  findCheckpoint,
  heldOutMeasures,
  InexactResumeError,
  loadCheckpointParams,
  LOG,
  objectiveFromSpec,
  parseLog,
  type RunStore,
  train,
} from '@dit/train-ddp'
import { openPageData } from './data.js'
import type { Curves, FromTrainer, ToTrainer } from './messages.js'
import { drawnPicture, readStart, samplingOf, weightsDesk } from './open-weights.js'
import { folderStore } from './folder-store.js'
import { copyRun, findRun } from './import-run.js'
import { LOOK_EVERY, PAGE_PROCESS, PAGE_RECIPE, type PagePictures, pageModel, type PageSettings } from './settings.js'

/** Files of ours beside the checkpoints of a run. */
const SETTINGS_FILE = 'page.json'
const PICTURES_FILE = 'pictures.bin'
/** The weights that a training began from, until it has some of its own. */
const START_FILE = 'start.safetensors'
/** Of the samples that are drawn on the way. */
const SEED = 5

/** What a trainer works with. */
export interface TrainerPlace {
  readonly store: RunStore
  /** Makes the engine, when it is first needed. */
  readonly engine: () => Promise<{ readonly backend: Backend; readonly description: string }>
  readonly post: (message: FromTrainer) => void
}

/** Trains in a Worker of a page, and answers what the page asks; also in Node, with any store. */
export function pageTrainer({ store, engine, post }: TrainerPlace): (message: ToTrainer) => Promise<void> {
  let running: { readonly abort: AbortController; readonly ended: Promise<void> } | null = null
  let opened: ReturnType<TrainerPlace['engine']> | null = null
  const openEngine = () => (opened ??= engine())
  const desk = weightsDesk(openEngine, post)

  async function look(): Promise<void> {
    const settings = await readSettings(store)
    const found = await findCheckpoint(store)
    post({ kind: 'kept', settings, step: found?.step ?? 0, curves: await curvesOf(store) })
  }

  async function run(allowInexact = false): Promise<void> {
    const settings = await readSettings(store)
    if (settings === null) throw new Error('there is no training to go on with')
    const { backend, description } = await openEngine()
    const objective = objectiveOf(settings)
    const { source, heldOut } = await openPageData(settings, await readPictures(store, settings))
    const measures = heldOutMeasures(objective, { batches: () => inTurn(heldOut) })
    const abort = new AbortController()
    const initial = await startOf(settings, backend)
    const work = async () => {
      const events = train({
        objective,
        recipe: settings.run?.recipe ?? PAGE_RECIPE,
        data: source,
        backend,
        seed: settings.seed,
        steps: settings.steps,
        ...(initial === null ? {} : { initial }),
        store,
        allowInexact,
        checkpoint: { every: LOOK_EVERY, keepLast: 2 },
        evaluate: { every: LOOK_EVERY, run: (context) => measures.run(context) },
        sample: { every: LOOK_EVERY, run: ({ step, ema }) => drawSamples(step, ema, settings, backend, post) },
        signal: abort.signal,
      })
      for await (const event of events) {
        if (event.type === 'start') {
          // The run has its own copy now.
          if (initial !== null) dispose(initial)
          post({ kind: 'started', engine: description, step: event.step, curves: await curvesOf(store) })
        } else if (event.type === 'step') {
          const { step, loss, measures: found } = event.record
          post({ kind: 'step', step, loss, heldOut: found?.heldOut ?? null })
        } else if (event.type === 'end') post({ kind: 'ended', step: event.step, reason: event.reason })
      }
    }
    running = { abort, ended: work().finally(() => (running = null)) }
    await running.ended
  }

  /** The weights that a training begins from, where it has none of its own yet. */
  async function startOf(settings: PageSettings, backend: Backend): Promise<Params | null> {
    if (settings.from === undefined || (await findCheckpoint(store)) !== null) return null
    const bytes = await store.read(START_FILE)
    if (bytes === null) throw new Error(`the weights of ${settings.from} are gone from the storage of the page`)
    return readStart(bytes, settings, backend)
  }

  async function begin({ settings, pictures, from }: Extract<ToTrainer, { kind: 'begin' }>): Promise<void> {
    if (from !== undefined) {
      const { backend } = await openEngine()
      // Before anything is forgotten: weights that do not fit are refused.
      dispose(await readStart(from, settings, backend))
    }
    const weights = from === undefined ? null : new Uint8Array(await from.arrayBuffer())
    await forget()
    if (weights !== null) await store.write(START_FILE, weights)
    await keep(store, settings, pictures)
    await run()
  }

  async function take(files: Extract<ToTrainer, { kind: 'take' }>['files']): Promise<void> {
    const folder = folderStore(files)
    // Before anything is forgotten: a run that does not fit is refused.
    const found = await findRun(folder)
    await forget()
    await copyRun(folder, found, store)
    await keep(store, found.settings, null)
    await look()
  }

  async function pause(): Promise<void> {
    const ended = running?.ended
    running?.abort.abort()
    await ended?.catch(() => {})
  }

  async function exportWeights(): Promise<void> {
    if (running !== null) throw new Error('pause the training before you export it')
    const settings = await readSettings(store)
    const found = await findCheckpoint(store)
    if (settings === null || found === null) throw new Error('there is no checkpoint yet; wait for the first samples')
    const { backend } = await openEngine()
    const params = await loadCheckpointParams(store, found.path, 'ema', backend)
    try {
      const dit = await pipelineOf(settings, params, backend)
      post({ kind: 'exported', step: found.step, file: await dit.save() })
      dit.dispose()
    } finally {
      dispose(params)
    }
  }

  async function forget(): Promise<void> {
    await pause()
    // The settings first: without them nothing was begun.
    for (const path of [SETTINGS_FILE, 'checkpoints', LOG, PICTURES_FILE, START_FILE]) await store.remove(path)
  }

  return async (message) => {
    try {
      switch (message.kind) {
        case 'look':
          return await look()
        case 'begin':
          desk.close()
          return await begin(message)
        case 'resume':
          desk.close()
          return await run(message.allowInexact)
        case 'take':
          desk.close()
          return await take(message.files)
        case 'pause':
          return await pause()
        case 'export':
          return await exportWeights()
        case 'forget':
          await forget()
          return await look()
        case 'open':
          return await desk.open(message.file)
        case 'draw':
          return await desk.draw(message.seed)
        default:
          return desk.close()
      }
    } catch (error) {
      const isInexact = error instanceof InexactResumeError
      post({ kind: 'problem', text: problemText(error), ...(isInexact ? { isInexact } : {}) })
    }
  }
}

/** What happened, and what to do next. */
export function problemText(error: unknown): string {
  const { name, message } = error as Error
  if (name === 'QuotaExceededError')
    return 'The storage of this page is full. Free some space, or forget the training, and go on from the last checkpoint.'
  if (name === 'RunLockedError') return 'Another tab trains this run. Close it, or look on there.'
  if (name === 'InexactResumeError')
    return `The numbers will not be those of an unbroken run: ${message.replace(/^.*? would not repeat an uninterrupted run: (.*)\. Resume anyway.*$/s, '$1')}. Go on anyway, or go on where it began.`
  if (name === 'DeviceLostError')
    return 'The graphics card went away. Reload the page and go on from the last checkpoint.'
  return message
}

async function* inTurn<Item>(items: () => Promise<readonly Item[]>): AsyncGenerator<Item> {
  yield* await items()
}

function pipelineOf(settings: PageSettings, params: Params, backend: Backend) {
  const { network, process } = objectiveOf(settings).spec
  return openPipeline({ network: network.config, process, params, classNames: settings.classes }, { backend })
}

/** What a training learns: that of the page, or of the run that was taken. */
function objectiveOf(settings: PageSettings) {
  return settings.run === undefined
    ? classConditional(pageModel(settings), PAGE_PROCESS)
    : objectiveFromSpec(settings.run.objective)
}

async function drawSamples(
  step: number,
  ema: Params,
  settings: PageSettings,
  backend: Backend,
  post: (message: FromTrainer) => void,
): Promise<void> {
  const dit = await pipelineOf(settings, ema, backend)
  try {
    const drawn = await dit.pictures({ ...samplingOf(dit), seed: SEED, classes: 'all', count: 1 })
    post({ kind: 'samples', step, pictures: drawn.map(drawnPicture) })
  } finally {
    dit.dispose()
  }
}

async function keep(store: RunStore, settings: PageSettings, pictures: PagePictures | null): Promise<void> {
  if (pictures !== null) {
    const bytes = new Uint8Array(4 * pictures.labels.length + pictures.pixels.length)
    bytes.set(new Uint8Array(Int32Array.from(pictures.labels).buffer))
    bytes.set(pictures.pixels, 4 * pictures.labels.length)
    await store.write(PICTURES_FILE, bytes)
  }
  // Last: a training without it was never begun.
  await store.write(SETTINGS_FILE, JSON.stringify(settings))
}

async function readSettings(store: RunStore): Promise<PageSettings | null> {
  const bytes = await store.read(SETTINGS_FILE)
  return bytes === null ? null : (JSON.parse(new TextDecoder().decode(bytes)) as PageSettings)
}

async function readPictures(store: RunStore, { data, size, classes }: PageSettings): Promise<PagePictures | null> {
  const bytes = data === 'pictures' ? await store.read(PICTURES_FILE) : null
  if (bytes === null) return null
  const count = bytes.length / (4 + 3 * size * size)
  return { classes, labels: new Int32Array(bytes.slice(0, 4 * count).buffer), pixels: bytes.slice(4 * count) }
}

/** The curves of the steps that were logged. */
async function curvesOf(store: RunStore): Promise<Curves> {
  const bytes = await store.read(LOG)
  if (bytes === null) return { losses: [], heldOut: [] }
  const records = parseLog(new TextDecoder().decode(bytes))
  return {
    losses: records.map(({ step, loss }) => ({ step, value: loss })),
    heldOut: records.flatMap(({ step, measures }) =>
      measures?.heldOut === undefined ? [] : [{ step, value: measures.heldOut }],
    ),
  }
}
