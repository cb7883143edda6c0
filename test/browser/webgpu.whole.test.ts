import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { webgpu } from '@dit/backend-webgpu'
import { beforeAll, describe, expect } from 'vitest'
import { testAdapter } from '../../packages/backend-webgpu/test/drivers.js'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { testNeeding } from '../require.js'
import { buildBundledPage, buildWebpackPage, writePlainPage } from './build-pages.js'
import { startChromium } from './chromium.js'
import { pagesInChromium } from './pages-in-chromium.js'
import { type TrainedAndSampled, trainAndSample } from './pages/train-and-sample.js'

// Needs a build: the pages use the packages as they are published. Chromium brings a software adapter.
const PAGES = ['plain/bundled/webgpu.html', 'plain/webpack/webpack.html', 'plain/plain/plain.html'] as const
const [BUNDLED] = PAGES
const pages = pagesInChromium({
  // The adapter computes on the processor, and compiles its kernels there.
  seconds: 150,
  async build(folder) {
    const folders = {
      bundled: join(folder, 'bundled'),
      webpack: join(folder, 'webpack'),
      plain: join(folder, 'plain'),
      repository: repositoryRoot,
    }
    await buildWebpackPage(folders.webpack, ['webgpu', 'train-and-sample'])
    await buildBundledPage(folders.bundled, 'webgpu.html')
    await writePlainPage(folders.plain, '../repository', ['train-and-sample', 'webgpu'])
    return folders
  },
})
const { test } = pages

let inNode: TrainedAndSampled
beforeAll(async () => {
  if (pages.executable === undefined) return
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  inNode = await trainAndSample(backend)
  await backend.dispose()
})

/** What the pages trained and sampled on WebGPU, each once. */
const trained = new Map<string, Promise<TrainedAndSampled>>()
function onWebGpu(page: string): Promise<TrainedAndSampled> {
  const result = trained.get(page) ?? pages.call<TrainedAndSampled>(page, 'trainOnWebGpu')
  trained.set(page, result)
  return result
}

function expectClose({ losses, samples }: TrainedAndSampled, want: TrainedAndSampled): void {
  expect(losses).toHaveLength(10)
  for (const [i, loss] of losses.entries()) expect(Math.abs(loss / want.losses[i] - 1)).toBeLessThan(1e-4)
  // Ten steps of training at a high rate carry rounding apart; the pictures stay the same to the eye.
  const largest = Math.max(...samples.map((value, i) => Math.abs(value - want.samples[i])))
  expect(largest).toBeLessThan(2 / 255)
}

for (const page of PAGES) {
  test(`${page} trains from scratch on WebGPU to the losses of the CPU kernels, and samples`, async () => {
    const result = await onWebGpu(page)
    expect(result.engine).toBe('webgpu')
    expect(result.losses[9]).toBeLessThan(result.losses[0])
    expectClose(result, inNode)
  })
}

const { options, why } = await testAdapter()
describe('where Node has WebGPU, too', () => {
  const test = pages.executable === undefined ? pages.test : testNeeding('vulkan', options !== null, why)

  test('pages train to its losses and pictures', async () => {
    const backend = await webgpu(options!)
    const want = await trainAndSample(backend)
    await backend.dispose()
    expect(want.engine).toBe('webgpu')
    for (const page of PAGES) expectClose(await onWebGpu(page), want)
  }, 320_000)
})

test('a run in the storage of the page goes on after its tab was closed in the middle, to the same bits', async () => {
  const context = await pages.browser.newContext()
  try {
    const first = await pages.inTab(
      BUNDLED,
      async (call, page) => {
        // Ends with the tab.
        void call('trainInStorage', 'closed').catch(() => {})
        const losses = await page.waitForFunction(
          () => {
            const { losses = [] } = globalThis as { losses?: readonly number[] }
            return losses.length >= 5 ? losses : null
          },
          null,
          { polling: 20, timeout: 150_000 },
        )
        return (await losses.jsonValue())!
      },
      context,
    )
    const second = await pages.inTab(BUNDLED, (call) => call<StoredRun>('trainInStorage', 'closed'), context)
    expect(second.resumedFrom).toMatch(/^checkpoints\/step-000000[468]$/)
    const { losses } = await unbroken()
    expect(first).toEqual(losses.slice(0, first.length))
    expect(second.losses).toEqual(losses.slice(Number(second.resumedFrom!.at(-1))))
  } finally {
    await context.close()
  }
}, 480_000)

test('a run that loses its device between two steps and within one goes on in the same tab, to the same bits', async () => {
  await pages.inTab(BUNDLED, async (call) => {
    const between = await call<LostRun>('loseDevice', 'lost', 3, 'between')
    const within = await call<LostRun>('loseDevice', 'lost', 3, 'within')
    for (const { error, losses } of [between, within]) {
      expect(error).toMatch(/^webgpu: the device was lost \(.*make a new backend with webgpu\(\) and resume/)
      expect(losses).toHaveLength(3)
    }
    const last = await call<StoredRun>('trainInStorage', 'lost')
    expect(last.resumedFrom).toBe('checkpoints/step-0000004')
    const losses = [...between.losses.slice(0, 2), ...within.losses.slice(0, 2), ...last.losses]
    expect(losses).toEqual((await unbroken()).losses)
  })
}, 480_000)

test('a page without WebGPU, or without an adapter, is told why, and trains in WebAssembly to the same bits as Node', async () => {
  const without = await startChromium(pages.executable!, 'none')
  try {
    const context = await without.newContext()
    const train = () => pages.inTab(BUNDLED, (call) => call<TrainedOnCpu>('trainWhereItCan'), context)
    const noAdapter = await train()
    await context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu'))
    const noWebGpu = await train()
    expect(noAdapter).toEqual({ ...inNode, why: expect.stringMatching(/no adapter: .*driver.*chrome:\/\/gpu/) })
    const browsersAndFlags = /no WebGPU\. Chrome and Edge .*chrome:\/\/flags.*Safari.*Firefox.*about:config.*cpu\(\)/
    expect(noWebGpu).toEqual({ ...inNode, why: expect.stringMatching(browsersAndFlags) })
  } finally {
    await without.close()
  }
})

interface StoredRun {
  readonly resumedFrom: string | null
  readonly losses: readonly number[]
}

interface LostRun {
  readonly error: string
  readonly losses: readonly number[]
}

interface TrainedOnCpu extends TrainedAndSampled {
  readonly why: string
}

let ofUnbroken: Promise<StoredRun> | undefined

/** A run that nothing interrupts. */
function unbroken(): Promise<StoredRun> {
  ofUnbroken ??= pages.call<StoredRun>(BUNDLED, 'trainInStorage', 'unbroken')
  return ofUnbroken
}
