import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { openPipeline } from '@dit/pipeline/node'
import { heroes } from '@dit/pretrained'
import { afterAll, expect } from 'vitest'
import { smallModel } from '../../packages/pipeline/test/open/small-model.js'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { buildBundledPage } from './build-pages.js'
import { pagesInChromium } from './pages-in-chromium.js'

// Needs a build. A page that imports the package as it is published, but for its weights, which are those of a small network.
const source = join(repositoryRoot, 'node_modules', '.cache', 'pretrained-page')
const PAGE = `<!doctype html>
<meta charset="utf-8" />
<link rel="icon" href="data:," />
<script type="module">
  import { cpu } from '@dit/backend-cpu'
  import { openPipeline } from '@dit/pipeline'
  import { heroes } from '@dit/pretrained/heroes'

  globalThis.draw = async () => {
    const backend = await cpu({ threads: 1 })
    const dit = await openPipeline(heroes.weights, { backend })
    const [picture] = await dit.pictures({ ...heroes.sampling, classes: 'disc', seed: 1 })
    return [...picture.data]
  }
</script>
`

let weights: Uint8Array
const pages = pagesInChromium({
  seconds: 150,
  async build(folder) {
    weights = await (await smallModel({ meanType: 'x0' }, { inputSize: 32, patchSize: 8 })).save()
    const installed = join(source, 'node_modules', '@dit', 'pretrained')
    mkdirSync(join(installed, 'models'), { recursive: true })
    for (const name of ['dist', 'package.json']) {
      cpSync(join(repositoryRoot, 'packages', 'pretrained', name), join(installed, name), { recursive: true })
    }
    writeFileSync(join(installed, 'models', 'heroes.safetensors'), weights)
    writeFileSync(join(source, 'page.html'), PAGE)
    const [whole, lacking] = [join(folder, 'whole'), join(folder, 'lacking')]
    await buildBundledPage(whole, 'page.html', source)
    cpSync(whole, lacking, { recursive: true })
    for (const name of readdirSync(join(lacking, 'assets'))) {
      if (name.endsWith('.safetensors')) rmSync(join(lacking, 'assets', name))
    }
    return { whole, lacking }
  },
})
const { test } = pages
afterAll(() => rmSync(source, { recursive: true, force: true }))

const drawIn = async (path: string) =>
  pages.inTab(path, async (_, page) => {
    await page.waitForFunction(() => 'draw' in globalThis)
    return page.evaluate(async () => {
      const own = globalThis as unknown as { draw(): Promise<number[]> }
      return own.draw().catch((error: unknown) => String(error))
    })
  })

test('a page that imports the address of a model draws the picture that Node draws from its file', async () => {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const dit = await openPipeline(weights, { backend })
  const [picture] = await dit.pictures({ ...heroes.sampling, classes: 'disc', seed: 1 })
  expect(await drawIn('plain/whole/page.html')).toEqual([...picture.data])
  dit.dispose()
  await backend.dispose()
})

test('where the file is missing, the error has its address', async () => {
  expect(await drawIn('plain/lacking/page.html')).toMatch(
    /WebFileError: fetchFile: http:.*\/heroes-[\w-]+\.safetensors gave 404/,
  )
})
