import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readText } from '../../../../test/sources.js'
import { repository } from '../../src/build/paths.js'
import { addressesOfSources } from '../../src/site/source-addresses.js'

test('the program of the Worker is found among the sources', () => {
  const path = join(repository, 'packages/browser/src/open-worker-pipeline.ts')
  const changed = addressesOfSources(readText(path), `${path}?v=1`)!
  const address = /new Worker\(new URL\('([^']+)', import\.meta\.url\)/.exec(changed)![1]
  expect(existsSync(join(dirname(path), address))).toBe(true)
})

test.each(['heroes', 'garments'])('the build does not look for the weights of %s', (name) => {
  const path = join(repository, `packages/pretrained/src/${name}.ts`)
  expect(addressesOfSources(readText(path), path)).toContain(
    `new URL(/* @vite-ignore */ '../models/${name}.safetensors', import.meta.url)`,
  )
})

test('other modules stay as they are, and an address that is gone is an error', () => {
  expect(addressesOfSources('code', '/elsewhere/heroes.ts')).toBeNull()
  expect(() => addressesOfSources('code', '/repository/packages/pretrained/src/heroes.ts')).toThrow(
    'addressesOfSources: /repository/packages/pretrained/src/heroes.ts no longer has new URL(',
  )
})
