import { join } from 'node:path'
import { beforeAll, expect } from 'vitest'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { buildBundledPage, buildWebpackPage, writePlainPage } from './build-pages.js'
import { pagesInChromium } from './pages-in-chromium.js'
import { type TenSteps, tenSteps } from './pages/ten-steps.js'

// Needs a build: the pages use the packages as they are published. Node's own run reads the sources.
const pages = pagesInChromium({
  async build(folder) {
    const folders = {
      bundled: join(folder, 'bundled'),
      webpack: join(folder, 'webpack'),
      plain: join(folder, 'plain'),
      repository: repositoryRoot,
    }
    await buildWebpackPage(folders.webpack, ['bundled', 'ten-steps', 'worker'])
    await buildBundledPage(folders.bundled)
    await writePlainPage(folders.plain, '../repository')
    return folders
  },
})
const { test } = pages

let inNode: TenSteps
beforeAll(async () => {
  if (pages.executable !== undefined) inNode = await tenSteps(1)
})

test('a page bundled by webpack trains to the same bits as Node, in a worker on two threads, too', async () => {
  expect(await pages.call('plain/webpack/webpack.html', 'tenSteps', 1)).toEqual(inNode)
  const result = await pages.call('isolated/webpack/webpack.html', 'tenStepsInWorker', 2)
  expect(result).toEqual({ ...inNode, threads: 2 })
})

test('without relaxed SIMD, too, a page trains to the same bits as Node, which are others', async () => {
  const portable = await tenSteps(1, 'simd128')
  expect(await pages.call('plain/bundled/bundled.html', 'tenPortableSteps', 1)).toEqual(portable)
  expect(portable.digests).not.toEqual(inNode.digests)
})

test('a page without a bundler trains to the same bits as Node', async () => {
  expect(await pages.call('plain/plain/plain.html', 'tenSteps', 1)).toEqual(inNode)
})

test('a worker of a cross-origin isolated page trains on two threads to the same bits as Node on one', async () => {
  const result = await pages.call('isolated/bundled/bundled.html', 'tenStepsInWorker', 2)
  expect(result).toEqual({ ...inNode, threads: 2 })
})
