import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz } from '@dit/checkpoint'
import { expect } from 'vitest'
import { testAdapter } from '../../../packages/backend-webgpu/test/drivers.js'
import { testNeeding } from '../../../test/require.js'
import { runProcess, temporaryFolder } from './support/run-dit.js'
import { stopDit } from './support/stop-dit.js'
import { TINY } from './support/tiny-flags.js'

// Asks Dawn, which also needs the loader of Vulkan; leaves the driver that it takes in the environment of the processes below.
const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

const train = (out: string) => [
  'train',
  ...TINY,
  ...'--backend=webgpu --precision=f16 --steps=12 --checkpoint-every=4 --keep-last=9'.split(' '),
  '--out',
  out,
]

/** Files that must not depend on where a run was stopped. */
function endOf(out: string): Record<string, string> {
  const last = join(out, 'checkpoints', 'step-0000012')
  const files = [...readdirSync(last).map((name) => join(last, name)), join(out, 'log.jsonl')]
  return Object.fromEntries(files.map((file) => [file.slice(out.length), readFileSync(file).toString('base64')]))
}

test('a run in half precision on WebGPU resumes in half precision, to the bytes of an unbroken one', async () => {
  const out = temporaryFolder()
  const [whole, stopped] = [join(out, 'whole'), join(out, 'stopped')]
  const unbroken = await runProcess(train(whole))
  expect(unbroken.code, unbroken.stderr).toBe(0)
  expect(unbroken.stdout).toMatch(/^engine webgpu \S+ \(.*, f16\)\n/)
  const isSoftware = /llvmpipe|SwiftShader/i.test(unbroken.stdout)
  expect(unbroken.stderr.includes('this adapter computes on the processor, and many times slower')).toBe(isSoftware)
  const killed = await stopDit(train(stopped), 6, 'SIGKILL')
  expect(killed.signal).toBe('SIGKILL')
  const resumed = await runProcess(['train', '--resume', stopped])
  expect(resumed.code, resumed.stderr).toBe(0)
  expect(resumed.stdout).toContain('resuming at step 4')
  expect(endOf(stopped)).toEqual(endOf(whole))
})

test('weights held in half precision on the card give the latents of the CPU kernels with the same ones', async () => {
  const weights = join(import.meta.dirname, '../../../packages/model/test/fixtures/layouts/diffusers')
  const latents = async (half: string, ...engine: string[]) => {
    const file = join(temporaryFolder(), 'latents.npz')
    const flags = '--classes=0,2 --count=1 --steps=3 --guidance=2'.split(' ')
    const { code, stderr } = await runProcess([
      'sample',
      '--weights',
      weights,
      '--half',
      half,
      ...flags,
      ...engine,
      '--latents',
      file,
    ])
    expect(code, stderr).toBe(0)
    return (await readNpz(readFileSync(file))).get('arr_0')!.data as Float32Array
  }
  for (const half of ['f16', 'bf16']) {
    const want = await latents(half, '--backend=cpu-wasm')
    const got = await latents(half, '--backend=webgpu')
    const largest = Math.max(...want.map(Math.abs))
    expect(largest).toBeGreaterThan(0.1)
    // Float32 rounding through three steps; other weights move samples by a thousandth and more.
    expect(Math.max(...want.map((value, i) => Math.abs(value - got[i])))).toBeLessThan(2e-5 * largest)
  }
})
