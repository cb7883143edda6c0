import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { smallModel } from '../../packages/pipeline/test/open/small-model.js'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { buildBundledPage, buildWebpackPage, writePlainPage } from './build-pages.js'
import { startChromium } from './chromium.js'
import { pagesInChromium } from './pages-in-chromium.js'
import type * as page from './pages/worker-pipeline.js'

// Needs a build: the pages use `@dit/browser` as it is published, bundled by Vite and by webpack, and without a bundler.
const pages = pagesInChromium({
  async build(folder) {
    const file = await (await smallModel({ meanType: 'x0' }, { inputSize: 32, patchSize: 8 })).save()
    const [vite, webpack, plain] = ['vite', 'webpack', 'plain'].map((name) => join(folder, name))
    await buildBundledPage(vite, 'worker-pipeline.html')
    await buildWebpackPage(webpack, ['worker-pipeline'])
    await writePlainPage(plain, '../repository', ['worker-pipeline'])
    for (const place of [vite, webpack, plain]) {
      await mkdir(place, { recursive: true })
      await writeFile(join(place, 'shapes.safetensors'), file)
    }
    await cp(join(repositoryRoot, 'packages', 'browser', 'dist', 'pipeline-worker'), join(plain, 'own-worker'), {
      recursive: true,
    })
    return { vite, webpack, plain, repository: repositoryRoot }
  },
})
const { test } = pages
const PLAIN = 'plain/plain/plain.html'
const FILE = 'shapes.safetensors'

type Page = typeof page
type Result<Name extends keyof Page> = Awaited<ReturnType<Page[Name]>>

for (const [how, path] of [
  ['bundled by Vite', 'plain/vite/worker-pipeline.html'],
  ['bundled by webpack', 'plain/webpack/webpack.html'],
  ['without a bundler', PLAIN],
  ['with threads at hand', 'isolated/plain/plain.html'],
]) {
  test(`a worker draws what the page draws, byte for byte, and shows the same steps, ${how}`, async () => {
    const sample = { classes: 'all', count: 2, guidance: 2, steps: 6, sampler: 'ddim', seed: 3 }
    const drawn = await pages.call<Result<'drawEverywhere'>>(path, 'drawEverywhere', FILE, sample)
    expect(drawn.inPage.length).toBe(4)
    expect(new Set(drawn.inPage[0]).size).toBeGreaterThan(20)
    expect(drawn.inWorker).toEqual(drawn.inPage)
    expect(drawn.watched).toEqual(drawn.inPage)
    expect(drawn.areStepsAlike).toBe(true)
    expect(drawn).toMatchObject({
      classNames: ['disc', 'square'],
      names: ['disc', 'disc', 'square', 'square'],
      shares: [1, 2, 3, 4, 5, 6].map((step) => step / 6),
      engine: { kind: 'wasm', description: 'WebAssembly, one thread', reason: null },
      afterwards: 'Error: the pipeline was used after it was disposed of',
    })
    expect(drawn.saved).toBeGreaterThan(10_000)
    expect(new Set(drawn.files)).toEqual(new Set([expect.stringMatching(/\/shapes\.safetensors$/)]))
  })
}

test('a signal stops a download, a run before it begins and between its steps; then the pipeline draws on', async () => {
  expect(await pages.call(PLAIN, 'abortThings', FILE)).toEqual({
    download: 'Error: no download',
    early: 'Error: before it began',
    late: 'Error: after three steps',
    stopped: 'Error: enough',
    thrown: 'Error: the page threw',
    steps: 3,
    drawn: 2,
  })
})

test('errors cross with their names, texts and fields', async () => {
  const failed = await pages.call<Result<'failures'>>(PLAIN, 'failures', FILE, 'missing.safetensors')
  expect(failed).toMatchObject({
    class: {
      text: expect.stringMatching(
        /^OptionError: classes: the model has no class dics; did you mean disc\?.*the classes are disc, square$/,
      ),
      fields: { option: 'classes' },
    },
    steps: { text: expect.stringMatching(/^OptionError: steps 0 must be/), fields: { option: 'steps', value: 0 } },
    inStep: { text: expect.stringMatching(/^OptionError: guidance NaN must be a number$/) },
    function: { text: expect.stringMatching(/^DataCloneError: .*could not be cloned/) },
    guide: { text: expect.stringMatching(/^TypeError: sample: guide cannot be sent to a Worker/) },
    missing: {
      text: expect.stringMatching(/^WebFileError: .*missing\.safetensors.*404/),
      fields: { status: 404, isPage: false },
    },
    pretrained: { text: expect.stringMatching(/^OpenError: @dit\/pretrained\/heroes: in a page import the model/) },
    bytes: { text: expect.stringMatching(/the weights/) },
    threads: { text: expect.stringMatching(/^RangeError: cpu: threads must be 1 here \(got 4\)/) },
    engine: { text: `TypeError: openWorkerPipeline: engine must be 'auto', 'webgpu' or 'wasm' (got "cuda")` },
    nothing: { text: 'TypeError: openWorkerPipeline: there must be a source to open (got none)' },
  })
})

test('auto passes over an adapter that computes on the processor, and says so; webgpu takes it', async () => {
  const { engine, forced } = await pages.call<Result<'engines'>>(PLAIN, 'engines', FILE)
  expect(engine.kind).toBe('wasm')
  expect(engine.reason).toMatch(/^WebGPU would compute on the processor here \(.*\), which is slower$/)
  expect(forced).toBe('webgpu')
})

test('without an adapter auto takes WebAssembly, and webgpu is refused with what to do', async () => {
  const browser = await startChromium(pages.executable!, 'none')
  try {
    const { engine, forced } = await pages.inTab(PLAIN, (call) => call<Result<'engines'>>('engines', FILE), browser)
    expect(engine).toMatchObject({ kind: 'wasm', reason: expect.stringMatching(/WebGPU/) })
    expect(forced).toMatch(/^WebGpuUnavailableError: webgpu: /)
  } finally {
    await browser.close()
  }
})

test('a worker that does not start, fails or is ended is told, and what was asked of it fails', async () => {
  const told = await pages.inTab(PLAIN, (call) => call<Result<'losses'>>('losses', FILE))
  const gone = /^WorkerLostError: the worker of the pipeline is gone: the browser ended it; open a new pipeline$/
  expect(told).toEqual({
    absent: expect.stringMatching(
      /^WorkerLostError: .*: its script did not load; give a `worker` of your own that runs/,
    ),
    failing: expect.stringMatching(/^WorkerLostError: .*a script that fails/),
    drawing: expect.stringMatching(gone),
    lost: expect.stringMatching(gone),
    afterwards: expect.stringMatching(gone),
  })
})

test('a worker of the page serves several pipelines, and outlives them', async () => {
  const script = './own-worker/pipeline-worker.js'
  const [one, ...others] = await pages.call<number[][]>(PLAIN, 'ownWorker', FILE, script)
  expect(new Set(one).size).toBeGreaterThan(20)
  for (const other of others) expect(other).toEqual(one)
})
