import { join } from 'node:path'
import { beforeAll, expect } from 'vitest'
import { buildBundledPage } from './build-pages.js'
import { pagesInChromium } from './pages-in-chromium.js'
import { type TenSteps, tenSteps } from './pages/ten-steps.js'

// Needs a build: the pages use the packages as they are published. Node's own run reads the sources.
// Other bundlers, workers and instruction sets: ten-steps.whole.test.ts.
const pages = pagesInChromium({
  async build(folder) {
    const bundled = join(folder, 'bundled')
    await buildBundledPage(bundled)
    return { bundled }
  },
})
const { test } = pages

let inNode: TenSteps
beforeAll(async () => {
  if (pages.executable !== undefined) inNode = await tenSteps(1)
})

test('ten steps leave ten losses and a checkpoint, and learn', () => {
  expect(inNode).toMatchObject({ engine: 'wasm', instructionSet: 'relaxed-simd', threads: 1 })
  expect(inNode.losses).toHaveLength(10)
  expect(inNode.losses[9]).toBeLessThan(inNode.losses[0])
  const names = Object.keys(inNode.digests).map((path) => path.split('/').at(-1))
  const tensors = ['model.safetensors', 'ema.safetensors', 'optimizer.safetensors']
  expect(new Set(names)).toEqual(new Set([...tensors, 'state.json', 'manifest.json', 'log.jsonl']))
})

test('a page bundled by Vite trains to the same bits as Node', async () => {
  expect(await pages.call('plain/bundled/bundled.html', 'tenSteps', 1)).toEqual(inNode)
})

test('a page that is not cross-origin isolated has one thread, and two are an error', async () => {
  const url = 'plain/bundled/bundled.html'
  expect(await pages.call(url, 'threadsOf', 'auto')).toBe(1)
  await expect(pages.call(url, 'threadsOf', 2)).rejects.toThrow(
    'cpu: threads must be 1 here (got 2): the page is not cross-origin isolated',
  )
})

test('the main thread of an isolated page has one thread, and two are an error', async () => {
  const url = 'isolated/bundled/bundled.html'
  expect(await pages.call(url, 'threadsOf', 'auto')).toBe(1)
  await expect(pages.call(url, 'threadsOf', 2)).rejects.toThrow(
    'cpu: threads must be 1 here (got 2): the main thread of a page may not wait; make the backend in a Worker',
  )
})
