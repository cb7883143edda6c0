import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { testNeeding } from '../../../../test/require.js'
import { runProcess, temporaryFolder } from '../support/run-dit.js'
import { stopDit } from '../support/stop-dit.js'
import { TINY } from '../support/tiny-flags.js'

process.env['DIT_TFJS_NODE'] ??= join(import.meta.dirname, '../../../../.tensorflow')
const engine = process.env['DIT_TENSORFLOW_DEVICE'] === 'gpu' ? 'tfjs-node-gpu' : 'tfjs-node'
const folder = join(process.env['DIT_TFJS_NODE'], 'node_modules/@tensorflow', engine, 'lib')
const test = testNeeding('tensorflow', existsSync(folder), `${folder} is not there; npm run build:tensorflow`)

const train = (steps: number, out: string) => [
  'train',
  ...TINY,
  `--backend=${engine}`,
  '--steps',
  String(steps),
  '--checkpoint-every',
  '5',
  '--out',
  out,
]

/** What must not depend on where a run was stopped. */
function endOf(out: string): Record<string, string> {
  const last = join(out, 'checkpoints', 'step-0000020')
  const files = [...readdirSync(last).map((name) => join(last, name)), join(out, 'log.jsonl')]
  expect(files).toHaveLength(6)
  return Object.fromEntries(files.map((file) => [file.slice(out.length), readFileSync(file).toString('base64')]))
}

test('trains, prints what computes, and resumes to the bytes of an unbroken run', async () => {
  const out = temporaryFolder()
  const [whole, stopped] = [join(out, 'whole'), join(out, 'stopped')]
  const unbroken = await runProcess(train(20, whole))
  expect(unbroken.code, unbroken.stderr).toBe(0)
  const device = engine === 'tfjs-node' ? 'on the CPU, \\d+ threads?' : 'on CUDA, TF32 off, 1 thread'
  expect(unbroken.stdout).toMatch(new RegExp(`^engine ${engine} 4\\.22\\.0 \\(TensorFlow 2\\.\\S+ ${device}\\)\n`))

  const killed = await stopDit(train(20, stopped), 7, 'SIGKILL')
  expect([killed.signal, killed.step < 20]).toEqual(['SIGKILL', true])
  const resumed = await runProcess(['train', '--resume', stopped])
  expect(resumed.code, resumed.stderr).toBe(0)
  expect(endOf(stopped)).toEqual(endOf(whole))
})

test('doctor finds its kernels right', async () => {
  const { code, stdout } = await runProcess(['doctor', '--backend', engine])
  expect(stdout).toMatch(new RegExp(`${engine} +ok +4\\.22\\.0 .*largest kernel error \\S+ against float64`))
  expect(code).toBe(0)
})
