import type { DecodeOptions, FetchOptions, ModelDescription, Picture, Pictures, SampleProgress } from '@dit/pipeline'
import type {
  EngineChoice,
  Look,
  OpenMessage,
  SentSampleOptions,
  WorkerEngine,
  WorkerModelOptions,
  WorkerSampleOptions,
  WorkerSource,
} from './worker/messages.js'
import { PortCalls } from './worker/port-calls.js'
import { watchWorker } from './worker/watch-worker.js'

/** Options of `openWorkerPipeline`. */
export interface OpenWorkerPipelineOptions extends Omit<WorkerModelOptions, 'fetch'> {
  /** How addresses are fetched, with `onProgress` and `signal`, which stay in the page. */
  readonly fetch?: Omit<FetchOptions, 'onCacheError'>
  /** What to compute with: `auto` (default) takes WebGPU on a graphics card, else WebAssembly. */
  readonly engine?: EngineChoice
  /** Threads of WebAssembly; by default one for each processor in a page that is cross-origin isolated, and one elsewhere. */
  readonly threads?: number | 'auto'
  /** A Worker that runs `@dit/browser/pipeline-worker`, for bundlers that do not find ours. It is yours: `dispose` leaves it. */
  readonly worker?: Worker
}

/** Where sampling in a Worker stands, and what can be seen of it until the next step is asked for. */
export interface WorkerStep extends SampleProgress {
  /** Pictures as they are now: estimates of those in work. For a model of latents each call decodes all of them. */
  pictures(): Promise<Picture[]>
}

/** A model on an engine in a Worker: what a `Pipeline` of `@dit/pipeline` does, without blocking the page. */
export interface WorkerPipeline {
  /** What it is: network, process, class names, range of pixels, scaling of latents. */
  readonly description: ModelDescription
  /** Names of the classes, in the order of the labels. */
  readonly classNames: readonly string[]
  /** What was assumed, since nothing in the files tells. */
  readonly assumptions: readonly string[]
  /** What was passed over, in lines for the user. */
  readonly notices: readonly string[]
  /** What computes, and why it is not WebGPU. */
  readonly engine: WorkerEngine
  /** Settles with the reason if the Worker or its graphics device is gone; open a new pipeline then. */
  readonly lost: Promise<Error>
  /**
   * Samples, step by step, as `sample` of a `Pipeline`.
   *
   * @throws an error named OptionError for the first option that cannot be; the signal's reason when stopped
   */
  sample(options?: WorkerSampleOptions): AsyncGenerator<WorkerStep, Float32Array, void>
  /**
   * Samples pictures.
   *
   * @param options as of `sample`; `onStep` is called, and waited for, after every step
   */
  pictures(options?: WorkerPicturesOptions): Promise<Picture[]>
  /** Samples as the network makes them, `[N, C, H, W]`, as pictures. */
  decode(samples: Float32Array, options?: Pick<DecodeOptions, 'image' | 'mask' | 'tile'>): Promise<Pictures>
  /** The model as a safetensors file, with its description. */
  save(): Promise<Uint8Array>
  /** Ends the Worker, unless it was given, and frees what the pipeline holds. What is in work fails. */
  dispose(): void
}

/** Options of `pictures`. */
export interface WorkerPicturesOptions extends WorkerSampleOptions {
  readonly onStep?: (step: WorkerStep) => void | Promise<void>
}

/**
 * Opens a model in a Worker, which computes while the page stays free. Calls and pictures are those of `openPipeline` of
 * `@dit/pipeline`, byte for byte on the same engine.
 *
 * Errors have the name, text and fields of those in the Worker, but not their class: ask for `error.name`.
 *
 * @param source an address, from the page, of weights or of a diffusers folder, `hf:owner/name[@revision]`, the bytes of a file or a `File`
 * @throws an error named OpenError, OptionError, WebFileError or WebGpuUnavailableError, as `openPipeline` and `webgpu`; WorkerLostError
 *   where the Worker does not start
 *
 * @example
 * const dit = await openWorkerPipeline('shapes.safetensors')
 * const [picture] = await dit.pictures({ classes: 'disc', seed: 1, onStep: async (step) => show(await step.pictures()) })
 */
export async function openWorkerPipeline(
  source: WorkerSource,
  { engine = 'auto', threads = 'auto', worker: given, fetch = {}, ...options }: OpenWorkerPipelineOptions = {},
): Promise<WorkerPipeline> {
  if (source === undefined || source === null || source === '') {
    throw new TypeError('openWorkerPipeline: there must be a source to open (got none)')
  }
  if (!['auto', 'webgpu', 'wasm'].includes(engine)) {
    throw new TypeError(`openWorkerPipeline: engine must be 'auto', 'webgpu' or 'wasm' (got ${JSON.stringify(engine)})`)
  }
  const { onProgress, signal, ...fetching } = fetch
  signal?.throwIfAborted()
  const worker = given ?? startWorker()
  const { port1, port2 } = new MessageChannel()
  const watch = watchWorker(worker)
  const calls = new PortCalls(port1, (message) => {
    watch.heard()
    if (message.kind === 'progress') onProgress?.({ url: message.url, bytes: message.bytes, total: message.total })
    // The device is lost for all that comes, too.
    if (message.kind === 'error' && message.error.name === 'DeviceLostError') watch.lose(message.error.message)
  })
  const end = (error: Error) => {
    watch.stop()
    calls.end(error)
    calls.dispose()
    if (given === undefined) worker.terminate()
  }
  void watch.lost.then((error) => calls.end(error))
  const stop = () => end(signal!.reason as Error)
  signal?.addEventListener('abort', stop)
  try {
    const opening = calls.opened()
    // Where the message cannot be sent, nobody waits for it any more.
    opening.catch(() => {})
    const message: OpenMessage = {
      kind: 'dit-open',
      port: port2,
      source: absolute(source),
      options: { ...options, fetch: fetching },
      engine,
      threads,
      lock: watch.lock,
    }
    worker.postMessage(message, [port2])
    const opened = await opening
    return { ...opened, ...callsOf(calls), lost: watch.lost, dispose: () => end(disposed()) }
  } catch (error) {
    end(error as Error)
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function callsOf(calls: PortCalls): Pick<WorkerPipeline, 'sample' | 'pictures' | 'decode' | 'save'> {
  async function* run<Result>(
    options: WorkerSampleOptions,
    gives: 'samples' | 'pictures',
  ): AsyncGenerator<WorkerStep, Result, void> {
    const { signal, ...sent } = sendable(options)
    const { id } = await calls.callNumbered({ kind: 'start', options: sent, gives }, signal)
    let isDone = false
    try {
      for (;;) {
        const next = await calls.call({ kind: 'next', run: id }, signal, id)
        if (next.isDone) {
          isDone = true
          return next.value as Result
        }
        const look = (what: Look) => calls.call({ kind: 'look', run: id, what }, signal, id)
        yield {
          ...next.step,
          pictures: () => look('pictures') as Promise<Picture[]>,
          state: () => look('state') as Promise<Float32Array>,
          estimates: () => look('estimates') as Promise<Float32Array>,
        }
      }
    } finally {
      // A caller may leave the loop, or throw in it: what the run holds is freed.
      if (!isDone) calls.abort(id)
    }
  }

  return {
    sample: (options = {}) => run<Float32Array>(options, 'samples'),
    async pictures({ onStep, ...options } = {}) {
      if (onStep === undefined) {
        const { signal, ...sent } = sendable(options)
        return calls.call({ kind: 'pictures', options: sent }, signal)
      }
      const steps = run<Picture[]>(options, 'pictures')
      for (;;) {
        const { done, value } = await steps.next()
        if (done === true) return value
        try {
          await onStep(value)
        } catch (error) {
          await steps.return([])
          throw error
        }
      }
    },
    decode: (samples, options = {}) => calls.call({ kind: 'decode', samples, options }),
    save: () => calls.call({ kind: 'save' }),
  }
}

/**
 * Options that can be sent.
 *
 * @throws TypeError for those that cannot
 */
function sendable(options: WorkerSampleOptions): SentSampleOptions & { readonly signal?: AbortSignal } {
  if ('guide' in options && options.guide !== undefined) {
    throw new TypeError(
      'sample: guide cannot be sent to a Worker; use openPipeline of @dit/pipeline inside one of your own',
    )
  }
  return options
}

/** Addresses are meant from the page, not from the worker's file. */
function absolute(source: WorkerSource): WorkerSource {
  if (source instanceof URL) return source.href
  if (typeof source !== 'string' || source.startsWith('@dit/pretrained')) return source
  const { location } = globalThis as { location?: { readonly href: string } }
  // What is no address is told so by the worker.
  return URL.canParse(source, location?.href) ? new URL(source, location?.href).href : source
}

function startWorker(): Worker {
  if (globalThis.Worker === undefined) {
    throw new TypeError('openWorkerPipeline: there are no Workers here; in Node use openPipeline of @dit/pipeline/node')
  }
  return new Worker(new URL('./pipeline-worker/pipeline-worker.js', import.meta.url), { type: 'module' })
}

function disposed(): Error {
  return new Error('the pipeline was used after it was disposed of')
}
