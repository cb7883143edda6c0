import { isPixelModel, openPipeline, type Pipeline, type SampleStep } from '@dit/pipeline'
import type { Backend } from '@dit/tensor'
import { type ChosenEngine, chooseEngine } from './choose-engine.js'
import {
  type Answers,
  buffersOf,
  type FromWorker,
  OPENING,
  type OpenMessage,
  type Request,
  type ToWorker,
} from './messages.js'
import { sendError } from './sent-error.js'

/** A run of sampling in work. */
interface Run {
  readonly steps: AsyncGenerator<SampleStep, Float32Array, void>
  readonly gives: 'samples' | 'pictures'
  /** The last step that was made. */
  step: SampleStep | null
}

/**
 * Opens the pipeline that a message asks for and answers what comes through its port, until the page disposes of it.
 *
 * @param choose makes the engine
 */
export async function servePipeline(
  { port, source, options, engine: choice, threads }: OpenMessage,
  choose: (choice: OpenMessage['engine'], threads: OpenMessage['threads']) => Promise<ChosenEngine> = chooseEngine,
): Promise<void> {
  const loading = new AbortController()
  const aborts = new Map<number, AbortController>([[OPENING, loading]])
  const runs = new Map<number, Run>()
  let dit: Pipeline | null = null
  let backend: Backend | null = null
  let isDisposed = false

  const post = (message: FromWorker) =>
    port.postMessage(message, message.kind === 'answer' ? buffersOf(message.value) : [])

  async function dispose(): Promise<void> {
    isDisposed = true
    for (const abort of aborts.values()) abort.abort()
    for (const { steps } of runs.values()) await steps.return(new Float32Array()).catch(() => {})
    runs.clear()
    dit?.dispose()
    dit = null
    await backend?.dispose()
    backend = null
    port.close()
  }

  async function answer(request: Request & { readonly id: number }): Promise<void> {
    try {
      post({ kind: 'answer', id: request.id, value: await answerTo(request) })
    } catch (error) {
      post({ kind: 'error', id: request.id, error: sendError(error) })
    }
  }

  function answerTo(request: Request & { readonly id: number }): Promise<Answers[Request['kind']]> {
    const pipeline = dit
    if (pipeline === null) throw new Error('the pipeline was used after it was disposed of')
    switch (request.kind) {
      case 'start':
        return start(pipeline, request)
      case 'next':
        return next(request.run)
      case 'look':
        return look(request)
      case 'pictures':
        return abortable(request.id, (signal) => pipeline.pictures({ ...request.options, signal }))
      case 'decode':
        return pipeline.decode(request.samples, request.options)
      default: // save
        return pipeline.save()
    }
  }

  async function start(pipeline: Pipeline, { id, options, gives }: Request & { kind: 'start'; id: number }) {
    const { model } = pipeline
    // Says before the first step that there will be no pictures, as `pictures` does.
    if (gives === 'pictures' && model.autoencoder === null && !isPixelModel(model.network)) {
      await pipeline.decode(new Float32Array())
    }
    const abort = new AbortController()
    aborts.set(id, abort)
    runs.set(id, { steps: pipeline.sample({ ...options, signal: abort.signal }), gives, step: null })
    return null
  }

  async function next(id: number): Promise<Answers['next']> {
    const run = runOf(id)
    try {
      const { done, value } = await run.steps.next()
      if (done !== true) {
        run.step = value
        const { done: count, total, finished, index, first } = value
        return { isDone: false, step: { done: count, total, finished, index, first } }
      }
      end(id)
      if (run.gives === 'samples') return { isDone: true, value }
      requireFinite(value)
      // After the last step its estimates are the samples themselves.
      return { isDone: true, value: await run.step!.pictures() }
    } catch (error) {
      end(id)
      throw error
    }
  }

  async function look({ run: id, what }: Request & { kind: 'look' }): Promise<Answers['look']> {
    const { step } = runOf(id)
    if (step === null) throw new Error('a step was read before it was made')
    // What the sampler returns may be its own.
    return what === 'pictures' ? step.pictures() : Float32Array.from(await step[what]())
  }

  function runOf(id: number): Run {
    const run = runs.get(id)
    if (run === undefined) throw new Error('a step was read after its run had ended')
    return run
  }

  function end(id: number): void {
    runs.delete(id)
    aborts.delete(id)
  }

  async function abortable<Result>(id: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const abort = new AbortController()
    aborts.set(id, abort)
    try {
      return await work(abort.signal)
    } finally {
      aborts.delete(id)
    }
  }

  function abort(id: number): void {
    const run = runs.get(id)
    aborts.get(id)?.abort()
    end(id)
    // One that waits for its next step would keep its tensors.
    void run?.steps.return(new Float32Array()).catch(() => {})
  }

  port.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind === 'dispose') void dispose()
    else if (data.kind === 'abort') abort(data.id)
    else void answer(data)
  })
  port.start()

  try {
    const chosen = await choose(choice, threads)
    backend = chosen.backend
    const fetch = {
      ...options.fetch,
      signal: loading.signal,
      onProgress: (progress: { readonly url: string; readonly bytes: number; readonly total: number | null }) =>
        post({ kind: 'progress', ...progress }),
    }
    const opened = await openPipeline(source, { ...options, fetch, backend })
    if (isDisposed) {
      opened.dispose()
      await chosen.backend.dispose()
      return
    }
    dit = opened
    const { description, classNames, assumptions, model } = opened
    const value = { description, classNames, assumptions, notices: model.notices, engine: chosen.engine }
    post({ kind: 'answer', id: OPENING, value })
  } catch (error) {
    if (!isDisposed) post({ kind: 'error', id: OPENING, error: sendError(error) })
    await dispose()
  }
}

function requireFinite(samples: Float32Array): void {
  if (samples.every(Number.isFinite)) return
  throw new RangeError('the samples are not finite numbers: the weights are not finite, or sampling diverged')
}
