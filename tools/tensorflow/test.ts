import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../release/workspace.js'
import { TENSORFLOW_FOLDER } from './folder.js'

const USAGE = `npm run test:tensorflow -- [--gpu] [--fixtures <folder>]

Everything on the engine tfjs-node, or tfjs-node-gpu with --gpu: builds it where it is not there, then dit doctor, the
conformance of all kernels, the parity fixtures, training with exact resume, and a line of the bench.`

const { values } = parseArgs({
  options: {
    gpu: { type: 'boolean', default: false },
    fixtures: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const engine = values.gpu ? 'tfjs-node-gpu' : 'tfjs-node'
const gpu = values.gpu ? ['--gpu'] : []
const shared = join(repositoryRoot, '../shared/fixtures')
const fixtures = values.fixtures ?? (existsSync(shared) ? shared : 'tools/parity/fixtures')
const need = values.gpu ? 'tensorflow,cuda' : 'tensorflow'
const env = {
  ...process.env,
  DIT_TFJS_NODE: process.env['DIT_TFJS_NODE'] ?? TENSORFLOW_FOLDER,
  DIT_TENSORFLOW_DEVICE: values.gpu ? 'gpu' : 'cpu',
  DIT_REQUIRE: [process.env['DIT_REQUIRE'], need].filter(Boolean).join(),
  // Sums on the GPU whose order is left to chance have a fixed one with this.
  ...(values.gpu && { TF_DETERMINISTIC_OPS: '1' }),
}
const source = ['--import', './tools/typescript.mjs']
const projects = ['--project', '@dit/backend-tfjs', '--project', '@dit/cli']
const stages: Readonly<Record<string, readonly string[]>> = {
  doctor: ['apps/cli/dist/main.js', 'doctor', '--backend', engine],
  tests: ['node_modules/vitest/vitest.mjs', 'run', '--mode', 'all', ...projects, 'test/tensorflow'],
  parity: [...source, 'tools/parity/main.ts', fixtures, '--backend', engine],
  bench: [...source, 'bench/main.ts', '--engines', `cpu-native,${engine}`, '--cases', 'train-step-64,gemm-nt'],
}

/** Runs all stages, so that one failure does not hide another. */
function main(): number {
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const built = join(env.DIT_TFJS_NODE, 'node_modules/@tensorflow', engine, 'lib')
  if (!existsSync(built) && run('build', [...source, 'tools/tensorflow/build.ts', ...gpu]) !== 0) return 1
  const failed = Object.entries(stages).filter(([name, args]) => run(name, args) !== 0)
  console.log(
    failed.length === 0 ? `\n${engine}: all passed` : `\n${engine}: ${failed.map(([name]) => name).join(', ')} failed`,
  )
  return failed.length === 0 ? 0 : 1
}

function run(name: string, args: readonly string[]): number {
  console.log(`\n=== ${name}: node ${args.join(' ')}`)
  return spawnSync(process.execPath, args, { cwd: repositoryRoot, env, stdio: 'inherit' }).status ?? 1
}

process.exitCode = main()
