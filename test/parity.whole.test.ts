import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { tfjs } from '@dit/backend-tfjs'
import { webgpu } from '@dit/backend-webgpu'
import type { Backend } from '@dit/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testAdapter } from '../packages/backend-webgpu/test/drivers.js'
import type { Manifest } from '../tools/parity/manifest.js'
import { runCase } from '../tools/parity/run-case.js'
import { testNeeding } from './require.js'

const { options, why } = await testAdapter()
testNeeding('vulkan', options !== null, why) // says so where it is missing, or fails

describe.each<[string, (() => Promise<Backend>) | null, readonly string[]]>([
  ['cpu-wasm', () => cpu({ engine: 'wasm', threads: 2 }), ['fixtures', 'fixtures-flow']],
  ['tfjs-wasm', () => tfjs({ engine: 'wasm' }), ['fixtures']],
  ['webgpu', options && (() => webgpu(options)), ['fixtures', 'fixtures-flow']],
])('on %s', (_, make, sets) => {
  let backend: Backend | undefined
  beforeAll(async () => {
    backend = await make?.()
  })
  afterAll(() => backend?.dispose())

  for (const set of sets) {
    const folder = join(import.meta.dirname, '../tools/parity', set)
    const { cases } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest
    for (const entry of cases) {
      test.skipIf(make === null)(`${set}/${entry.kind}/${entry.name}`, async () => {
        const { status, worst, where } = await runCase(folder, entry, backend!)
        expect(`${status}: ${worst} at ${where}`).toMatch(/^ok/)
      })
    }
  }
})
