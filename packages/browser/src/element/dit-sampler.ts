import type { Picture } from '@dit/pipeline'
import type { WorkerPipeline, WorkerStep } from '../open-worker-pipeline.js'
import type { WorkerEngine } from '../worker/messages.js'
import { makeParts, type Parts, showPictures } from './parts.js'
import { problemText } from './problem.js'
import { ATTRIBUTES, readSettings, readSize, type Settings } from './settings.js'
import { type Lease, leasePipeline } from './shared-pipelines.js'

/** What `dit-progress` tells: bytes of the weights, or steps of sampling. `total` is null where the server does not say. */
export interface SamplerProgress {
  readonly phase: 'loading' | 'drawing'
  readonly done: number
  readonly total: number | null
}

/** What `dit-picture` tells. */
export interface SamplerPictures {
  readonly pictures: readonly Picture[]
  readonly seed: number
  readonly engine: WorkerEngine
}

/** What `dit-error` tells. */
export interface SamplerProblem {
  readonly error: unknown
  /** As the element shows it. */
  readonly message: string
}

// Where pages are rendered on a server there is no such class; the element is only defined in browsers.
const Base = globalThis.HTMLElement ?? Object

/**
 * An element that draws: `<dit-sampler src="shapes.safetensors" class="disc" steps="20"></dit-sampler>`. It samples in a Worker when it
 * first comes into view, or with `draw="click"` at a press of its button, and shows the denoising unless the reader wants less motion.
 *
 * Attributes: `src`, `class` (or `model-class`), `steps`, `guidance`, `seed`, `count`, `size`, `solver`, `engine`, `draw`.
 * Events: `dit-progress` (SamplerProgress), `dit-picture` (SamplerPictures), `dit-error` (SamplerProblem); they bubble.
 * Parts: `figure`, `picture`, `controls`, `button`, `progress`, `status`.
 */
export class DitSampler extends Base {
  static readonly observedAttributes: readonly string[] = ATTRIBUTES

  // Reflected attributes, defined below; numbers are null where they are not set.
  declare src: string
  declare modelClass: string
  declare solver: string
  declare engine: string
  declare steps: number | null
  declare guidance: number | null
  declare seed: number | null
  declare count: number | null
  declare size: number | null

  #parts: Parts | null = null
  #lease: { readonly key: string; readonly lease: Lease } | null = null
  #work: AbortController | null = null
  #observer: IntersectionObserver | null = null
  #pictures: readonly Picture[] = []
  #drawnSeed: number | null = null
  /** Whether it was asked to draw: then a changed attribute draws anew. */
  #isWanted = false
  #isQueued = false

  /** The first picture that was drawn last; null before. */
  get picture(): Picture | null {
    return this.#pictures[0] ?? null
  }

  /** All pictures that were drawn last. */
  get pictures(): readonly Picture[] {
    return this.#pictures
  }

  /** Whether it loads or draws. */
  get isDrawing(): boolean {
    return this.#work !== null
  }

  connectedCallback(): void {
    if (this.#parts === null) {
      this.#parts = makeParts(this.attachShadow({ mode: 'open' }))
      this.#parts.button.addEventListener('click', () => this.#press())
    }
    this.#showSize()
    this.#showIdle()
    if (this.getAttribute('draw') !== 'click') this.#watchView()
  }

  disconnectedCallback(): void {
    this.#observer?.disconnect()
    // An element that is only moved is connected again at once.
    queueMicrotask(() => {
      if (this.isConnected) return
      this.stop()
      this.#release()
    })
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (this.#parts === null || before === after) return
    if (name === 'size') this.#showSize()
    if (name === 'size' || name === 'draw' || !this.#isWanted || this.#isQueued) return
    // Several attributes are often set in a row.
    this.#isQueued = true
    queueMicrotask(() => {
      this.#isQueued = false
      if (this.isConnected && this.#isWanted) this.draw().catch(() => {})
    })
  }

  /**
   * Draws as the attributes say, and shows it. What is in work is stopped.
   *
   * @throws what went wrong, which the element shows and `dit-error` tells, too; the signal's reason when stopped
   */
  async draw(): Promise<readonly Picture[]> {
    if (this.#parts === null) throw new Error('dit-sampler: it must be in a page before it draws')
    this.stop()
    this.#isWanted = true
    const work = new AbortController()
    this.#work = work
    try {
      const settings = readSettings(this, this.baseURI)
      const dit = await this.#open(settings, work.signal)
      work.signal.throwIfAborted()
      const pictures = await this.#sample(dit, settings, work.signal)
      this.#work = null
      this.#showDrawn(pictures, settings.seed, dit.engine)
      return pictures
    } catch (error) {
      if (!work.signal.aborted) {
        this.#work = null
        this.#showProblem(error)
      }
      throw error
    }
  }

  /** Stops what is in work. */
  stop(): void {
    if (this.#work === null) return
    this.#work.abort(new DOMException('dit-sampler: stopped', 'AbortError'))
    this.#work = null
    this.#showIdle()
    this.#say('Stopped.')
  }

  /**
   * Saves what was drawn as a PNG file, all pictures in one.
   *
   * @throws Error before the first picture
   */
  async download(name: string = this.#fileName()): Promise<void> {
    if (this.#parts === null || this.#pictures.length === 0)
      throw new Error('dit-sampler: there is no picture to save yet')
    const { canvas } = this.#parts
    // What is in work may be on the canvas.
    showPictures(canvas, this.#pictures)
    const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
    if (file === null) throw new Error('dit-sampler: the browser could not make a PNG file of the pictures')
    const link = this.ownerDocument.createElement('a')
    link.href = URL.createObjectURL(file)
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  }

  #press(): void {
    if (this.isDrawing) {
      this.#isWanted = false
      this.stop()
      return
    }
    // Another picture each time; the attribute tells which.
    if (this.#drawnSeed !== null) {
      this.#isWanted = false
      this.setAttribute('seed', String(this.#drawnSeed + 1))
    }
    this.draw().catch(() => {})
  }

  async #open({ src, engine }: Settings, signal: AbortSignal): Promise<WorkerPipeline> {
    const key = `${engine} ${src}`
    if (this.#lease?.key !== key) {
      this.#release()
      const lease = leasePipeline(src, engine, (bytes, total) => this.#showProgress('loading', bytes, total))
      this.#lease = { key, lease }
      // One that does not open, or is gone, is opened anew the next time.
      const drop = () => {
        if (this.#lease?.lease === lease) this.#release()
      }
      lease.pipeline.then(({ lost }) => lost.then(drop)).catch(drop)
    }
    this.#showBusy('Loading the model.')
    const { pipeline } = this.#lease.lease
    const stopped = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error)),
    )
    return Promise.race([pipeline, stopped])
  }

  async #sample(dit: WorkerPipeline, { sample }: Settings, signal: AbortSignal): Promise<readonly Picture[]> {
    this.#showBusy('Drawing.')
    const { matchMedia } = globalThis
    // Less motion on request; a model of latents would decode its pictures at every step.
    const isLive = dit.description.latents === null && !matchMedia('(prefers-reduced-motion: reduce)').matches
    // One look a frame: more would only hold the Worker up.
    let isDue = isLive
    const onStep = async (step: WorkerStep) => {
      this.#showProgress('drawing', step.done, step.total)
      if (!isDue) return
      isDue = false
      requestAnimationFrame(() => {
        isDue = true
      })
      const pictures = await step.pictures()
      if (!signal.aborted) showPictures(this.#parts!.canvas, pictures)
    }
    return dit.pictures({ ...sample, signal, onStep })
  }

  #watchView(): void {
    this.#observer ??= new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return
      this.#observer?.disconnect()
      if (!this.#isWanted && this.getAttribute('draw') !== 'click') this.draw().catch(() => {})
    })
    this.#observer.observe(this)
  }

  #showDrawn(pictures: readonly Picture[], seed: number, engine: WorkerEngine): void {
    this.#pictures = pictures
    this.#drawnSeed = seed
    showPictures(this.#parts!.canvas, pictures)
    const names = [...new Set(pictures.map(({ className }) => className))]
    const what = names.length > 4 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ')
    this.#showIdle()
    this.#parts!.canvas.setAttribute('aria-label', `${what}, drawn with seed ${seed}`)
    const why = engine.reason === null ? '' : ` Drawn by ${engine.description}: ${engine.reason}.`
    this.#say(`${what}, seed ${seed}.${why}`)
    this.#tell('dit-picture', { pictures, seed, engine } satisfies SamplerPictures)
  }

  #showProblem(error: unknown): void {
    const message = problemText(error)
    this.#showIdle()
    this.#say(message, 'error')
    this.#tell('dit-error', { error, message } satisfies SamplerProblem)
  }

  #showBusy(text: string): void {
    const { button, progress, figure } = this.#parts!
    button.textContent = 'Stop'
    progress.hidden = false
    progress.setAttribute('aria-label', text.replace(/\.$/, ''))
    progress.removeAttribute('value')
    figure.setAttribute('aria-busy', 'true')
    this.#say(text)
  }

  #showIdle(): void {
    const { button, progress, figure, canvas } = this.#parts!
    button.textContent = this.#pictures.length === 0 ? 'Draw' : 'Draw another'
    progress.hidden = true
    figure.removeAttribute('aria-busy')
    if (this.#pictures.length === 0) canvas.setAttribute('aria-label', 'No picture yet')
  }

  #showProgress(phase: SamplerProgress['phase'], done: number, total: number | null): void {
    if (this.#work === null) return
    if (total !== null && total > 0) this.#parts!.progress.value = done / total
    this.#tell('dit-progress', { phase, done, total } satisfies SamplerProgress)
  }

  #showSize(): void {
    try {
      const size = readSize(this.getAttribute('size'))
      if (size === null) this.#parts!.canvas.style.removeProperty('--dit-size')
      else this.#parts!.canvas.style.setProperty('--dit-size', `${size}px`)
    } catch (error) {
      this.#showProblem(error)
    }
  }

  #say(text: string, kind: 'news' | 'error' = 'news'): void {
    const { status } = this.#parts!
    status.textContent = text
    status.dataset['kind'] = kind
  }

  #tell(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }))
  }

  #release(): void {
    this.#lease?.lease.release()
    this.#lease = null
  }

  #fileName(): string {
    const name = this.#pictures.length === 1 ? this.#pictures[0].className : 'pictures'
    return `${name.replaceAll(/[^\p{L}\p{N}]+/gu, '-')}-seed-${this.#drawnSeed ?? 0}.png`
  }
}

for (const [property, attribute, isNumber] of [
  ['src', 'src', false],
  ['modelClass', 'model-class', false],
  ['solver', 'solver', false],
  ['engine', 'engine', false],
  ['steps', 'steps', true],
  ['guidance', 'guidance', true],
  ['seed', 'seed', true],
  ['count', 'count', true],
  ['size', 'size', true],
] as const) {
  Object.defineProperty(DitSampler.prototype, property, {
    configurable: true,
    enumerable: true,
    get(this: DitSampler) {
      const text = this.getAttribute(attribute)
      return isNumber ? (text === null ? null : Number(text)) : (text ?? '')
    },
    set(this: DitSampler, value: string | number | null | undefined) {
      if (value === null || value === undefined) this.removeAttribute(attribute)
      else this.setAttribute(attribute, String(value))
    },
  })
}

/**
 * Defines the element under a name; under the same name again it does nothing, and nothing outside of browsers.
 *
 * @param name with a hyphen, as names of elements must be
 */
export function defineDitSampler(name = 'dit-sampler'): void {
  const { customElements } = globalThis as { customElements?: CustomElementRegistry }
  if (customElements === undefined || customElements.get(name) !== undefined) return
  // A class may have one name only.
  customElements.define(name, name === 'dit-sampler' ? DitSampler : class extends DitSampler {})
}
