import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { reference } from '@dit/tensor'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openModel as openInPage } from '../../src/index.js'
import { openModel, openPipeline } from '../../src/node/index.js'
import { movedParams, PROCESSES, tinyNetwork } from '../support/tiny-models.js'

// A project that has a package of this name, with one whole model and one whose file is missing.
const folder = mkdtempSync(join(tmpdir(), 'dit-pretrained-'))
const installed = join(folder, 'node_modules/@dit/pretrained')
const resolveFrom = pathToFileURL(join(folder, 'app.mjs'))
const backend = reference()

beforeAll(async () => {
  mkdirSync(join(installed, 'models'), { recursive: true })
  const exports = {
    './package.json': './package.json',
    './blobs.safetensors': './models/blobs.safetensors',
    './lost.safetensors': './models/lost.safetensors',
  }
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: '@dit/pretrained', exports }))
  const params = movedParams(tinyNetwork, backend)
  const classNames = ['disc', 'ring', 'cross']
  const dit = await openPipeline(
    { network: tinyNetwork, params, process: PROCESSES['a cosine schedule that predicts x0'], classNames },
    { backend },
  )
  await dit.save(join(installed, 'models/blobs.safetensors'), { dtype: 'f16' })
  dit.dispose()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a name of @dit/pretrained opens the file of that package, with the same pictures', async () => {
  const options = { classes: ['ring'], steps: 2, seed: 3 }
  const pictures = []
  for (const source of ['@dit/pretrained/blobs', join(installed, 'models/blobs.safetensors')]) {
    const dit = await openPipeline(source, { backend, resolveFrom })
    pictures.push((await dit.pictures(options))[0].data)
    dit.dispose()
  }
  expect(pictures[0]).toEqual(pictures[1])
})

test('it keeps its name, and has no place to write beside', async () => {
  const model = await openModel('@dit/pretrained/blobs', { resolveFrom })
  expect(model).toMatchObject({
    name: '@dit/pretrained/blobs',
    title: '@dit/pretrained/blobs',
    location: null,
    isProcessKnown: true,
  })
  expect(model.names).toEqual(['disc', 'ring', 'cross'])
  await model.close()
})

test.each([
  ['@dit/pretrained/blob', '@dit/pretrained has no model blob: there are blobs and lost; did you mean blobs?'],
  ['@dit/pretrained', 'must name a model: there are blobs and lost'],
  ['@dit/pretrained/../../secret', 'has no model ../../secret: there are blobs and lost'],
  [
    '@dit/pretrained/lost',
    `the file ${join(installed, 'models/lost.safetensors')} is missing in the installed package`,
  ],
])('%s is refused: %s', async (source, problem) => {
  const opening = openModel(source, { resolveFrom })
  await expect(opening).rejects.toMatchObject({ name: 'OpenError', source })
  await expect(opening).rejects.toThrow(problem)
})

test('without the package, the error says what to install', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'dit-no-pretrained-'))
  await expect(openModel('@dit/pretrained/blobs', { resolveFrom: join(elsewhere, 'app.mjs') })).rejects.toThrow(
    '@dit/pretrained/blobs: @dit/pretrained is not installed; install it with `npm install @dit/pretrained`',
  )
  rmSync(elsewhere, { recursive: true })
})

test('in a page, the error says what to import', async () => {
  await expect(openInPage('@dit/pretrained/blobs')).rejects.toThrow(
    '@dit/pretrained/blobs: in a page import the model from @dit/pretrained, and give its `weights`',
  )
})
