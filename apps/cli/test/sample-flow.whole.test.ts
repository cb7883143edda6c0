import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz } from '@dit/checkpoint'
import { FLOW_SPACINGS } from '@dit/schedules'
import { expect, test } from 'vitest'
import { FLOW_SAMPLERS } from '@dit/pipeline'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { TINY_FLOW } from './support/tiny-flags.js'

test.each(['linear', 'gvp', 'vp'])(
  'every sampler of a flow and every spacing gives a picture, path %s',
  async (path) => {
    const folder = temporaryFolder()
    const run = join(folder, 'run')
    await runDit(['train', ...TINY_FLOW, `--path=${path}`, '--lr=0.01', '--steps=4', '--out', run, '--quiet'])
    for (const sampler of FLOW_SAMPLERS) {
      for (const spacing of sampler === 'dopri5' ? [null] : [null, ...FLOW_SPACINGS]) {
        const layout = spacing === null ? [] : [`--spacing=${spacing}`, '--shift=2']
        const out = ['--latents', join(folder, 'a.npz'), '--out', join(folder, 'a.png')]
        const common = [
          '--run',
          run,
          '--count=1',
          '--classes=1',
          '--steps=3',
          '--raw',
          '--no-clip',
          '--backend=reference',
        ]
        const result = await runDit(['sample', ...common, '--sampler', sampler, ...layout, ...out])
        expect(result, `${sampler} ${spacing}`).toMatchObject({ code: 0, stderr: '' })
        const values = (await readNpz(readFileSync(join(folder, 'a.npz')))).get('arr_0')!.data as Float32Array
        expect(values.every(Number.isFinite), `${sampler} ${spacing}`).toBe(true)
      }
    }
  },
)
