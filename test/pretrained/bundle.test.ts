import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Rolldown } from 'vite'
import { afterAll, expect, test } from 'vitest'
import { repositoryRoot } from '../../tools/release/workspace.js'

// Needs a build. A page's project, in which the package has files of weights that are not.
const project = mkdtempSync(join(tmpdir(), 'dit-bundle-'))
const installed = join(project, 'node_modules', '@dit', 'pretrained')
mkdirSync(join(installed, 'models'), { recursive: true })
for (const name of ['dist', 'package.json']) {
  cpSync(join(repositoryRoot, 'packages', 'pretrained', name), join(installed, name), { recursive: true })
}
for (const name of ['heroes', 'garments']) {
  // Beyond the size up to which Vite puts a file into the script.
  writeFileSync(join(installed, 'models', `${name}.safetensors`), Buffer.alloc(10_000, name))
}
afterAll(() => rmSync(project, { recursive: true, force: true }))

test('a bundler copies the weights of the model that a page imports, and of no other, and puts their address in place', async () => {
  writeFileSync(
    join(project, 'page.js'),
    `import { heroes } from '@dit/pretrained/heroes'\nconsole.log(heroes.weights.href, heroes.sampling.steps)\n`,
  )
  const built = await build({
    root: project,
    base: './',
    configFile: false,
    logLevel: 'error',
    build: { rolldownOptions: { input: join(project, 'page.js') } },
  })
  const { output } = built as Rolldown.RolldownOutput
  const assets = output.flatMap((item) => (item.type === 'asset' ? [item] : []))
  expect(assets.map(({ names }) => names)).toEqual([['heroes.safetensors']])
  expect(Buffer.from(assets[0].source)).toEqual(Buffer.alloc(10_000, 'heroes'))
  const code = output.flatMap((item) => (item.type === 'chunk' ? [item.code] : [])).join('')
  expect(code).toContain(assets[0].fileName.replace('assets/', ''))
})
