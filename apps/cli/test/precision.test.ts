import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const why = await cpu({ precision: 'bf16', threads: 1 }).then(
  async (backend) => {
    await backend.dispose()
    return null
  },
  (error: unknown) => String(error),
)
if (why !== null) process.stdout.write(`skipped what needs bf16: ${why}\n`)

const NATIVE = ['--backend=cpu-native', '--threads=1', '--checkpoint-every=2', '--keep-last=2', '--quiet']
const train = (out: string, steps: number, precision = 'bf16') =>
  runDit(['train', ...TINY.slice(0, -1), ...NATIVE, `--steps=${steps}`, `--precision=${precision}`, '--out', out])

/** The bytes of a run's last checkpoint. */
function endOf(out: string): Record<string, string> {
  const last = join(out, 'checkpoints', readdirSync(join(out, 'checkpoints')).toSorted().at(-1)!)
  return Object.fromEntries(readdirSync(last).map((name) => [name, readFileSync(join(last, name)).toString('base64')]))
}

test.each(['reference', 'cpu-wasm', 'tfjs-cpu', 'webgpu'])(
  '--precision bf16 is refused on %s by name',
  async (name) => {
    const { code, stderr } = await runDit(['train', ...TINY, '--steps=1', '--backend', name, '--precision=bf16'])
    expect(code).toBe(2)
    expect(stderr).toContain(`--precision bf16 works only with --backend cpu-native (the backend is ${name})`)
  },
)

test.skipIf(why !== null)(
  'a run in bf16 says so in its config and resumes in bf16, to the bytes of an unbroken one',
  async () => {
    const [whole, stopped] = [temporaryFolder(), temporaryFolder()].map((folder) => join(folder, 'run'))
    expect((await train(whole, 4)).stderr).toBe('')
    cpSync(whole, stopped, { recursive: true })
    rmSync(join(stopped, 'checkpoints', 'step-0000004'), { recursive: true })
    const { engine } = JSON.parse(readFileSync(join(stopped, 'config.json'), 'utf8'))
    expect(engine).toMatchObject({ name: 'cpu-native', precision: 'bf16' })
    expect(engine.instructionSet).toMatch(/^\w+, bf16$/)
    const resumed = await runDit(['train', '--resume', stopped])
    expect(resumed.code).toBe(0)
    expect(resumed.stdout).toMatch(/engine cpu-native \S+ \(\w+, bf16, \d+ threads?\)/)
    expect(resumed.stdout).toContain('resuming at step 2')
    expect(endOf(stopped)).toEqual(endOf(whole))
    const full = join(temporaryFolder(), 'run')
    await train(full, 4, 'f32')
    expect(endOf(full)['model.safetensors']).not.toBe(endOf(whole)['model.safetensors'])
  },
)

test.skipIf(why !== null)(
  'resuming in another precision is refused by name, or told of where it is allowed',
  async () => {
    const out = join(temporaryFolder(), 'run')
    await train(out, 2)
    const difference = /cpu-native ran with (\w+), bf16 and now has \1/
    const other = ['train', '--resume', out, '--precision=f32', '--steps=3', '--quiet']
    const refused = await runDit(other)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(difference)
    expect(refused.stderr).toContain('Resume anyway with --allow-inexact')
    const allowed = await runDit([...other, '--allow-inexact'])
    expect(allowed.code).toBe(0)
    expect(allowed.stderr).toMatch(difference)
  },
)

test.skipIf(why !== null)('a run samples in bf16 where that is asked for, and says so', async () => {
  const out = join(temporaryFolder(), 'run')
  await train(out, 2)
  const file = join(temporaryFolder(), 'samples.npz')
  const flags = ['--count=2', '--steps=3', '--backend=cpu-native', '--threads=1', '--precision=bf16']
  const { code, stdout } = await runDit(['sample', '--run', out, ...flags, '--npz', file])
  expect(code).toBe(0)
  expect(stdout).toMatch(/engine cpu-native \S+ \(\w+, bf16, \d+ threads?\)/)
})
