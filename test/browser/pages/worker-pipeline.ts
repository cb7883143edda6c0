import { cpu } from '@dit/backend-cpu'
import { openWorkerPipeline, type WorkerPipeline, type WorkerSampleOptions } from '@dit/browser'
import { openPipeline } from '@dit/pipeline'

const bytesOf = (pictures: readonly { readonly data: Uint8ClampedArray }[]) => pictures.map(({ data }) => [...data])

/** `name: message`, as a page would show it, and what else an error carries. */
function told(error: unknown): { readonly text: string; readonly fields: Record<string, unknown> } {
  const { name, message } = error as Error
  return { text: `${name}: ${message}`, fields: { ...(error as object) } }
}

/** The same pictures in the page itself, in its Worker, and in the Worker with a look at every step. */
export async function drawEverywhere(source: string, sample: WorkerSampleOptions) {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const here = await openPipeline(source, { backend })
  const inPage = bytesOf(await here.pictures(sample))
  const stepsInPage: number[][][] = []
  for await (const step of here.sample(sample)) stepsInPage.push(bytesOf(await step.pictures()))
  here.dispose()
  await backend.dispose()

  const files: string[] = []
  const dit = await openWorkerPipeline(source, {
    engine: 'wasm',
    threads: 1,
    fetch: { cache: null, onProgress: ({ url }) => files.push(url) },
  })
  const steps: number[][][] = []
  const shares: number[] = []
  const inWorker = bytesOf(await dit.pictures(sample))
  const watched = await dit.pictures({
    ...sample,
    async onStep(step) {
      shares.push(step.done / step.total)
      steps.push(bytesOf(await step.pictures()))
    },
  })
  const run = dit.sample(sample)
  let samples = await run.next()
  while (samples.done !== true) samples = await run.next()
  const decoded = await dit.decode(samples.value)
  const saved = (await dit.save()).length
  const names = watched.map(({ className }) => className)
  const { engine, classNames } = dit
  dit.dispose()
  const afterwards = await dit.pictures(sample).catch((error: unknown) => told(error).text)
  return {
    inPage,
    inWorker,
    watched: bytesOf(watched),
    decoded: decoded.pixels.length,
    areStepsAlike: JSON.stringify(steps) === JSON.stringify(stepsInPage),
    shares,
    saved,
    names,
    engine,
    classNames,
    files,
    afterwards,
  }
}

/** What stops when: in a download, before and between steps; and that the pipeline draws on afterwards. */
export async function abortThings(source: string) {
  const loading = new AbortController()
  loading.abort(new Error('no download'))
  const download = await openWorkerPipeline(source, { fetch: { signal: loading.signal } }).catch(told)
  const dit = await openWorkerPipeline(source, { engine: 'wasm' })
  const [before, between] = [new AbortController(), new AbortController()]
  before.abort(new Error('before it began'))
  const early = await dit.pictures({ signal: before.signal }).catch(told)
  let steps = 0
  const late = await dit
    .pictures({
      steps: 20,
      signal: between.signal,
      onStep() {
        if (++steps === 3) between.abort(new Error('after three steps'))
      },
    })
    .catch(told)
  const unseen = new AbortController()
  const stopped = dit.pictures({ steps: 1000, signal: unseen.signal }).catch(told)
  unseen.abort(new Error('enough'))
  const thrown = await dit
    .pictures({
      onStep() {
        throw new Error('the page threw')
      },
    })
    .catch(told)
  const left = dit.sample({ steps: 20 })
  await left.next()
  await left.return(new Float32Array())
  const drawn = await dit.pictures({ steps: 2 })
  dit.dispose()
  return {
    download: text(download),
    early: text(early),
    late: text(late),
    stopped: text(await stopped),
    thrown: text(thrown),
    steps,
    drawn: drawn.length,
  }
}

const text = (result: unknown) => (result as { readonly text?: string }).text

/** How calls fail. */
export async function failures(source: string, missing: string) {
  const attempt = (work: Promise<unknown>) => work.then(() => ({ text: 'no error', fields: {} }), told)
  const dit = await openWorkerPipeline(source, { engine: 'wasm' })
  const results = {
    class: await attempt(dit.pictures({ classes: 'dics' })),
    steps: await attempt(dit.pictures({ steps: 0 })),
    inStep: await attempt(dit.sample({ guidance: Number.NaN }).next()),
    function: await attempt(dit.pictures({ eta: (() => 0) as unknown as number })),
    guide: await attempt(dit.pictures({ guide: {} } as WorkerSampleOptions)),
    missing: await attempt(openWorkerPipeline(missing, { engine: 'wasm' })),
    pretrained: await attempt(openWorkerPipeline('@dit/pretrained/heroes', { engine: 'wasm' })),
    bytes: await attempt(openWorkerPipeline(new Uint8Array(16), { engine: 'wasm' })),
    threads: await attempt(openWorkerPipeline(source, { engine: 'wasm', threads: 4 })),
    engine: await attempt(openWorkerPipeline(source, { engine: 'cuda' as 'wasm' })),
    nothing: await attempt(openWorkerPipeline('')),
  }
  dit.dispose()
  return results
}

/** The engine that `auto` takes, and how `webgpu` fails where there is none. */
export async function engines(source: string) {
  const dit = await openWorkerPipeline(source)
  const { engine } = dit
  dit.dispose()
  const forced = await openWorkerPipeline(source, { engine: 'webgpu' }).then(
    (opened) => {
      const { kind } = opened.engine
      opened.dispose()
      return kind
    },
    (error: unknown) => told(error).text,
  )
  return { engine, forced }
}

/** What a page hears of a worker whose script is not there, of one that throws, and of one that is ended while it draws. */
export async function losses(source: string) {
  const gone = new Worker('./not-there.js', { type: 'module' })
  const absent = await openWorkerPipeline(source, { worker: gone }).catch(told)
  const script = URL.createObjectURL(new Blob(['throw new Error("a script that fails")'], { type: 'text/javascript' }))
  const failing = await openWorkerPipeline(source, { worker: new Worker(script) }).catch(told)
  let own: Worker | undefined
  // Ends the worker that the pipeline makes, as a browser does that runs out of memory.
  const Original = globalThis.Worker
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options)
      // eslint-disable-next-line typescript/no-this-alias
      own = this
    }
  }
  let dit: WorkerPipeline
  try {
    dit = await openWorkerPipeline(source, { engine: 'wasm' })
  } finally {
    globalThis.Worker = Original
  }
  const drawing = dit.pictures({ steps: 1000 }).catch(told)
  own!.terminate()
  const lost = await dit.lost
  return {
    absent: text(absent),
    failing: text(failing),
    drawing: text(await drawing),
    lost: told(lost).text,
    afterwards: text(await dit.pictures().catch(told)),
  }
}

/** Two pipelines in one worker that the page made; it lives on when they are gone. */
export async function ownWorker(source: string, script: string) {
  const worker = new Worker(script, { type: 'module' })
  const [a, b] = await Promise.all([0, 1].map(() => openWorkerPipeline(source, { engine: 'wasm', worker })))
  const [one, other] = await Promise.all([a, b].map((dit) => dit.pictures({ classes: 'disc', steps: 3, seed: 5 })))
  a.dispose()
  const later = await b.pictures({ classes: 'disc', steps: 3, seed: 5 })
  b.dispose()
  const again = await openWorkerPipeline(source, { engine: 'wasm', worker })
  const last = await again.pictures({ classes: 'disc', steps: 3, seed: 5 })
  again.dispose()
  worker.terminate()
  return [one, other, later, last].map((pictures) => bytesOf(pictures)[0])
}

Object.assign(globalThis, { drawEverywhere, abortThings, failures, engines, losses, ownWorker })
