import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { tfjs } from '@dit/backend-tfjs'
import type { Backend } from '@dit/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Manifest } from '../tools/parity/manifest.js'
import { runCase } from '../tools/parity/run-case.js'

const folder = join(import.meta.dirname, '../tools/parity/fixtures')
const { cases } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest

describe.each<[string, () => Promise<Backend>]>([
  ['cpu-wasm', () => cpu({ engine: 'wasm', threads: 2 })],
  ['tfjs-wasm', () => tfjs({ engine: 'wasm' })],
])('on %s', (_, make) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await make()
  })
  afterAll(() => backend.dispose())

  test.each(cases.map((entry) => [`${entry.kind}/${entry.name}`, entry] as const))('%s', async (_id, entry) => {
    const { status, worst, where } = await runCase(folder, entry, backend)
    expect(`${status}: ${worst} at ${where}`).toMatch(/^ok/)
  })
})
