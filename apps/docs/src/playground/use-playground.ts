import type { WorkerEngine, WorkerPipeline, WorkerStep } from '@dit/browser'
import { type Picture, type PictureData, SAMPLE_DEFAULTS } from '@dit/pipeline'
import { computed, type ComputedRef, onBeforeUnmount, onMounted, type Ref, ref, shallowRef } from 'vue'
import { wantsLessMotion } from '../figures/page.js'
import { squareOf } from '../figures/picture.js'
import { keepPipeline } from './kept-pipeline.js'
import { dropOldWeights, listModels, type SiteModel } from './models.js'
import { describe, type Drawing } from './picture-file.js'
import { problemText } from './problem.js'
import {
  fitSettings,
  hashToSettings,
  type Read,
  sampleOptions,
  type Settings,
  settingsToHash,
  SOLVERS,
  solversOf,
} from './settings.js'
import { codeToPicture, pictureToCode } from './start-code.js'

/** What the page shows while it works. */
export type Phase = 'idle' | 'loading' | 'drawing'

/** The state of the playground, and all that can be done with it. */
export interface Playground {
  readonly models: Readonly<Ref<readonly SiteModel[]>>
  readonly settings: Readonly<Ref<Settings | null>>
  readonly classNames: Readonly<Ref<readonly string[]>>
  readonly solvers: Readonly<Ref<typeof SOLVERS>>
  readonly engine: Readonly<Ref<WorkerEngine | null>>
  readonly phase: Readonly<Ref<Phase>>
  /** Of the download or of the steps, 0 to 1; null where it is not known. */
  readonly progress: Readonly<Ref<number | null>>
  /** The pictures as they are now. */
  readonly pictures: Readonly<Ref<readonly Picture[]>>
  /** What was drawn last, to its end. */
  readonly drawing: Readonly<Ref<Drawing | null>>
  /** The picture to start from; null for noise. */
  readonly start: Readonly<Ref<PictureData | null>>
  /** Side of the model's pictures in pixels; null before it is open, and where they are not square. */
  readonly side: Readonly<Ref<number | null>>
  /** News for the live region. */
  readonly status: Ref<string>
  readonly problems: Ref<readonly string[]>
  /** The link that repeats the pictures, from `#` on. */
  readonly hash: ComputedRef<string>
  /** Changes settings, and draws once nothing more changes. */
  readonly change: (changes: Partial<Settings>) => void
  /** Starts from a picture of the model's size, RGBA and opaque, or from noise. */
  readonly startFrom: (picture: PictureData | null) => void
  /** Starts from the middle square of a file; says where it is no picture, or undefined because none was dropped. */
  readonly startFromFile: (file: File | undefined) => void
  readonly draw: () => void
  readonly stop: () => void
}

/** How long the page waits for further changes, in milliseconds. */
const PAUSE = 250

/** What a first visit draws, beside what the model says of itself. */
const FIRST: Omit<Settings, 'model' | 'guidance' | 'steps' | 'solver'> = {
  className: '',
  seed: 1,
  count: 4,
  engine: 'auto',
  start: '',
  strength: SAMPLE_DEFAULTS.strength,
}

/**
 * Draws in a Worker as the settings say, which stand in the page's address, too.
 *
 * @param folder address of the models, with a slash at its end
 */
export function usePlayground(folder: () => string): Playground {
  const models = shallowRef<readonly SiteModel[]>([])
  const settings = shallowRef<Settings | null>(null)
  const classNames = shallowRef<readonly string[]>([])
  const solvers = shallowRef<typeof SOLVERS>(SOLVERS)
  const engine = shallowRef<WorkerEngine | null>(null)
  const phase = ref<Phase>('loading')
  const progress = ref<number | null>(null)
  const pictures = shallowRef<readonly Picture[]>([])
  const drawing = shallowRef<Drawing | null>(null)
  const startPicture = shallowRef<PictureData | null>(null)
  const side = ref<number | null>(null)
  const status = ref('')
  const problems = shallowRef<readonly string[]>([])
  const hash = computed(() => (settings.value === null ? '' : settingsToHash(settings.value)))
  const kept = keepPipeline()
  /** What `startPicture` is in a link. */
  let startCode = ''
  let work = new AbortController()
  let waiting: ReturnType<typeof setTimeout> | undefined

  const usual = () =>
    models.value.map(({ name, sampling }): Settings => {
      const { guidance, steps, sampler } = sampling
      return { ...FIRST, model: name, guidance, steps, solver: sampler }
    })

  function take(next: Settings): void {
    settings.value = next
    // Nothing is added to the history: the way back leads out of the page. Once a run, since browsers limit how often.
    history.replaceState(history.state, '', settingsToHash(next))
  }

  /** Follows the link, unless it leads to a heading. */
  function follow(): void {
    if (models.value.length > 0 && location.hash.includes('=')) readLink()
  }

  function readLink(): void {
    const read = hashToSettings(location.hash, usual())
    settings.value = read.settings
    void run(read.problems)
  }

  async function openModel(from: Settings, signal: AbortSignal): Promise<WorkerPipeline> {
    const { address, title } = models.value.find(({ name }) => name === from.model)!
    if (!kept.isOpen(address, from.engine)) {
      phase.value = 'loading'
      progress.value = null
      status.value = `Loading the model: ${title}.`
    }
    const onProgress = (bytes: number, total: number | null) => {
      if (phase.value === 'loading' && !signal.aborted) progress.value = total === null ? null : bytes / total
    }
    const opened = kept.open(address, from.engine, onProgress)
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
    return Promise.race([opened, stopped])
  }

  /** The picture that a link starts from. */
  async function openStart({ settings: from, problems: found }: Read, dit: WorkerPipeline): Promise<Read> {
    const size = sideOf(dit)
    side.value = size
    if (from.start === startCode) return { settings: from, problems: found }
    const picture = from.start === '' || size === null ? null : await codeToPicture(from.start, size).catch(() => null)
    const isTaken = from.start === '' || picture !== null
    startCode = isTaken ? from.start : ''
    startPicture.value = picture
    if (isTaken) return { settings: from, problems: found }
    const what = size === null ? 'does not fit this model' : `is none of ${size} x ${size} pixels`
    const problem = `The picture to start from ${what}: noise is taken in its place.`
    return { settings: { ...from, start: '' }, problems: [...found, problem] }
  }

  async function sample(dit: WorkerPipeline, from: Settings, signal: AbortSignal): Promise<readonly Picture[]> {
    phase.value = 'drawing'
    progress.value = 0
    status.value = `Drawing ${describe(from)}.`
    // One look a frame: more would only hold the Worker up. None where less motion is asked for.
    let isDue = !wantsLessMotion()
    const onStep = async (step: WorkerStep) => {
      progress.value = step.done / step.total
      if (!isDue) return
      isDue = false
      requestAnimationFrame(() => {
        isDue = true
      })
      const look = await step.pictures()
      if (!signal.aborted) pictures.value = look
    }
    return dit.pictures({ ...sampleOptions(from, dit.classNames, startPicture.value), signal, onStep })
  }

  async function run(found: readonly string[] = []): Promise<void> {
    const from = settings.value
    if (from === null) return
    end()
    const mine = new AbortController()
    work = mine
    problems.value = found
    take(from)
    try {
      const dit = await openModel(from, mine.signal)
      mine.signal.throwIfAborted()
      const { process, network } = dit.description
      classNames.value = dit.classNames
      solvers.value = solversOf(process)
      engine.value = dit.engine
      const fitted = fitSettings(from, { classNames: dit.classNames, process, guidanceRange: network?.guidanceRange })
      const started = await openStart(fitted, dit)
      mine.signal.throwIfAborted()
      problems.value = [...found, ...started.problems]
      take(started.settings)
      const made = await sample(dit, started.settings, mine.signal)
      mine.signal.throwIfAborted()
      phase.value = 'idle'
      pictures.value = made
      drawing.value = { pictures: made, settings: started.settings, engine: dit.engine.description }
      status.value = `Drawn: ${describe(started.settings)}.`
    } catch (error) {
      // Whoever ended it says what comes next.
      if (mine.signal.aborted) return
      fail(...found, problemText(error))
    }
  }

  function end(): void {
    clearTimeout(waiting)
    work.abort(new DOMException('stopped', 'AbortError'))
  }

  function fail(...texts: readonly string[]): void {
    phase.value = 'idle'
    status.value = ''
    problems.value = texts
  }

  function change(changes: Partial<Settings>): void {
    if (settings.value === null) return
    settings.value = { ...settings.value, ...changes }
    end()
    phase.value = 'loading'
    progress.value = null
    waiting = setTimeout(() => void run(), PAUSE)
  }

  async function startFrom(picture: PictureData | null): Promise<void> {
    startPicture.value = picture
    const code = picture === null ? '' : await pictureToCode(picture)
    // Another one may have come meanwhile.
    if (startPicture.value !== picture) return
    startCode = code
    change({ start: code })
  }

  async function startFromFile(file: File | undefined): Promise<void> {
    const [size, model] = [side.value, models.value.find(({ name }) => name === settings.value?.model)]
    if (size === null || model === undefined) return
    if (file === undefined) {
      problems.value = ['What was dropped is no file. Save the picture first, then drop its file.']
      return
    }
    try {
      const { width, height, data } = await squareOf(file, size, model.ground)
      await startFrom({ width, height, data })
    } catch (error) {
      problems.value = [`${(error as Error).message}. Try a PNG, JPEG or WebP.`]
    }
  }

  function stop(): void {
    end()
    phase.value = 'idle'
    status.value = 'Stopped.'
  }

  async function begin(): Promise<void> {
    try {
      models.value = await listModels(folder())
    } catch (error) {
      fail(`The list of models did not load: ${(error as Error).message}. Check the connection, then reload the page.`)
      return
    }
    // What a visitor's browser has too much of is not worth a message.
    dropOldWeights(folder(), models.value).catch(() => {})
    if (models.value.length > 0) readLink()
    else fail('This site was built without a model, so there is nothing to draw with. Start shows how to train one.')
  }

  onMounted(() => {
    addEventListener('hashchange', follow)
    void begin()
  })
  onBeforeUnmount(() => {
    removeEventListener('hashchange', follow)
    end()
    kept.dispose()
  })

  return {
    models,
    settings,
    classNames,
    solvers,
    engine,
    phase,
    progress,
    pictures,
    drawing,
    start: startPicture,
    side,
    status,
    problems,
    hash,
    change,
    startFrom: (picture) => void startFrom(picture),
    startFromFile: (file) => void startFromFile(file),
    draw: () => void run(),
    stop,
  }
}

/** The side of a model's pictures in pixels; null where they are not square, or are latents. */
function sideOf({ description: { network, latents } }: WorkerPipeline): number | null {
  if (network === null || latents !== null) return null
  const { inputSize } = network
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  return height === width ? height : null
}
