import { openPipeline } from '@dit/pipeline'
import { type Backend, dispose, type Params } from '@dit/tensor'
import {
  classConditional,
  findCheckpoint,
  heldOutMeasures,
  loadCheckpointParams,
  LOG,
  parseLog,
  type RunStore,
  train,
} from '@dit/train-ddp'
import { openPageData } from './data.js'
import type { Curves, FromTrainer, ToTrainer } from './messages.js'
import { LOOK_EVERY, PAGE_PROCESS, PAGE_RECIPE, type PagePictures, pageModel, type PageSettings } from './settings.js'

/** Files of ours beside the checkpoints of a run. */
const SETTINGS_FILE = 'page.json'
const PICTURES_FILE = 'pictures.bin'
/** How samples are drawn on the way. */
const SAMPLING = { sampler: 'dpmpp-2m', steps: 12, guidance: 1.5, seed: 5 } as const

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

  async function look(): Promise<void> {
    const settings = await readSettings(store)
    const found = await findCheckpoint(store)
    post({ kind: 'kept', settings, step: found?.step ?? 0, curves: await curvesOf(store) })
  }

  async function run(): Promise<void> {
    const settings = await readSettings(store)
    if (settings === null) throw new Error('there is no training to go on with')
    const { backend, description } = await openEngine()
    const config = pageModel(settings)
    const objective = classConditional(config, PAGE_PROCESS)
    const { source, heldOut } = await openPageData(settings, await readPictures(store, settings))
    const measures = heldOutMeasures(objective, { batches: () => inTurn(heldOut) })
    const abort = new AbortController()
    const work = async () => {
      const events = train({
        objective,
        recipe: PAGE_RECIPE,
        data: source,
        backend,
        seed: settings.seed,
        steps: settings.steps,
        store,
        checkpoint: { every: LOOK_EVERY, keepLast: 2 },
        evaluate: { every: LOOK_EVERY, run: (context) => measures.run(context) },
        sample: { every: LOOK_EVERY, run: ({ step, ema }) => drawSamples(step, ema, settings, backend, post) },
        signal: abort.signal,
      })
      for await (const event of events) {
        if (event.type === 'start') {
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
    for (const path of [SETTINGS_FILE, 'checkpoints', LOG, PICTURES_FILE]) await store.remove(path)
  }

  return async (message) => {
    try {
      if (message.kind === 'look') await look()
      else if (message.kind === 'resume') await run()
      else if (message.kind === 'pause') await pause()
      else if (message.kind === 'export') await exportWeights()
      else if (message.kind === 'forget') {
        await forget()
        await look()
      } else {
        await forget()
        await keep(store, message.settings, message.pictures)
        await run()
      }
    } catch (error) {
      post({ kind: 'problem', text: problemText(error) })
    }
  }
}

/** What happened, and what to do next. */
export function problemText(error: unknown): string {
  const { name, message } = error as Error
  if (name === 'QuotaExceededError')
    return 'The storage of this page is full. Free some space, or forget the training, and go on from the last checkpoint.'
  if (name === 'RunLockedError') return 'Another tab trains this run. Close it, or look on there.'
  if (name === 'DeviceLostError')
    return 'The graphics card went away. Reload the page and go on from the last checkpoint.'
  return message
}

async function* inTurn<Item>(items: () => Promise<readonly Item[]>): AsyncGenerator<Item> {
  yield* await items()
}

function pipelineOf(settings: PageSettings, params: Params, backend: Backend) {
  return openPipeline(
    { network: pageModel(settings), process: PAGE_PROCESS, params, classNames: settings.classes },
    { backend },
  )
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
    const drawn = await dit.pictures({ ...SAMPLING, classes: 'all', count: 1 })
    post({ kind: 'samples', step, pictures: drawn.map(({ data, width }) => ({ data, width })) })
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
