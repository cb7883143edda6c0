import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

test('adapters are trained, saved alone, and make the pictures of their run on the weights that they were for', async () => {
  const folder = temporaryFolder()
  const [base, run, adapter] = ['base', 'run', 'adapter.safetensors'].map((name) => join(folder, name))
  const ENGINE = ['--backend=reference', '--quiet']
  expect((await runDit(['train', ...TINY, '--steps=1', '--out', base, '--quiet'])).code).toBe(0)
  const flags = [
    '--lora=2',
    '--lr=0.1',
    '--warmup=0',
    '--batch=4',
    '--steps=2',
    '--sample-every=none',
    '--backend=reference',
  ]
  const trained = await runDit(['train', '--from', base, ...flags, '--out', run])
  expect(trained).toMatchObject({ code: 0, stderr: '' })
  expect(trained.stdout).toMatch(
    /trains {2}\S+ parameters beside \S+ frozen ones: adapters of rank 2, alpha 2\. Gradients/,
  )
  const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig
  expect(config.from).toMatchObject({ source: base, replaced: [], changes: [] })
  expect((await runDit(['convert', run, adapter, '--adapter', '--quiet'])).code).toBe(0)
  for (const [name, args] of Object.entries({ own: [run], applied: [base, '--lora', adapter] })) {
    const sampled = await runDit([
      'sample',
      ...args,
      '--count=1',
      '--steps=2',
      ...ENGINE,
      '--out',
      join(folder, `${name}.png`),
    ])
    expect(sampled, name).toMatchObject({ code: 0, stderr: '' })
  }
  expect(readFileSync(join(folder, 'applied.png'))).toEqual(readFileSync(join(folder, 'own.png')))
  const refused = await runDit(['train', '--from', base, '--hidden=32', '--out', join(folder, 'none')])
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--hidden 32: the weights of') as string })
})
