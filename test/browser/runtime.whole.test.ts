import { join } from 'node:path'
import { expect } from 'vitest'
import { buildBundledPage } from './build-pages.js'
import { pagesInChromium } from './pages-in-chromium.js'
import type { Compilation } from './pages/runtime.js'

// Needs a build: the page uses the packages as they are published. Chromium brings a software adapter.
const PAGE = 'plain/bundled/runtime.html'
const pages = pagesInChromium({
  async build(folder) {
    const bundled = join(folder, 'bundled')
    await buildBundledPage(bundled, 'runtime.html')
    return { bundled }
  },
})
const { test } = pages

test('a tensor larger than the device binds is refused by the op that makes it, with the figures', async () => {
  const { error, limit } = await pages.call<{ error: string; limit: number }>(PAGE, 'tooLarge')
  expect(error).toContain(`a buffer holds at most ${limit} bytes`)
})

test('values behind something that the device refused are its error and not numbers, and then all goes on', async () => {
  const { error, after } = await pages.call<{ error: string; after: number[] }>(PAGE, 'refused')
  expect(error).toMatch(/^webgpu: the device refused an operation \(validation\): .*"tensors \d+".*destroyed/s)
  expect(after).toEqual([6, 6])
})

test('a page goes on while kernels are compiled ahead, and sees how far they are', async () => {
  const { kernels, milliseconds, longestTask, seen } = await pages.call<Compilation>(PAGE, 'compile')
  expect(kernels).toBeGreaterThan(10)
  // On a busy machine every task is long; compiling in the page would be one that lasts from the beginning to the end.
  expect(longestTask).toBeLessThan(milliseconds / 2)
  const between = seen.filter((share) => share > 0 && share < 1)
  expect(new Set(between).size).toBeGreaterThan(2)
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  process.stdout.write(
    `${kernels} kernels in ${milliseconds.toFixed(0)} ms, longest task ${longestTask.toFixed(0)} ms\n`,
  )
})
