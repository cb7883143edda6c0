import { join } from 'node:path'
import { conformanceCases } from '@dit/tensor/conformance'
import { describe, expect } from 'vitest'
import { buildBundledPage } from './build-pages.js'
import { pagesInChromium } from './pages-in-chromium.js'
import type { ConformanceLine } from './pages/tfjs.js'

// Needs a build: the page uses the packages as they are published. Chromium brings a software adapter, which is slow.
const SECONDS = 500
const PAGE = 'plain/bundled/tfjs.html'
const pages = pagesInChromium({
  seconds: SECONDS,
  async build(folder) {
    const bundled = join(folder, 'bundled')
    await buildBundledPage(bundled, 'tfjs.html')
    return { bundled }
  },
})
const { test } = pages

describe.each(['cpu', 'wasm', 'webgpu'])('tfjs on %s in Chromium', (engine) => {
  test(
    'passes every case of the conformance suite with its own tolerances',
    async () => {
      const lines = await pages.call<ConformanceLine[]>(PAGE, 'conformance', engine)
      expect(lines.map(({ name }) => name)).toEqual(conformanceCases().map(({ name }) => name))
      expect(lines.filter(({ error }) => error !== null)).toEqual([])
    },
    (SECONDS + 10) * 1000,
  )

  test('takes and gives tensors of tfjs, and leaves none behind', async () => {
    expect(await pages.call(PAGE, 'roundTrip', engine)).toEqual({ values: [4, 16, 36], left: 0 })
  })
})
