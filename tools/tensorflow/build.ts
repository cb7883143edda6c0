import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../release/workspace.js'
import { TENSORFLOW_FOLDER } from './folder.js'

const USAGE = `npm run build:tensorflow -- [--gpu] [--version 2.21.0] [--python python3]

Puts @tensorflow/tfjs-node and TensorFlow for Python into .tensorflow, and builds the native part of the one against the
library of the other. With --gpu: @tensorflow/tfjs-node-gpu, and TensorFlow with CUDA (about 4 GB).`

const TFJS_VERSION = '4.22.0'

function main(): number {
  const { values } = parseArgs({
    options: {
      gpu: { type: 'boolean', default: false },
      version: { type: 'string' },
      python: { type: 'string', default: 'python3' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const venv = join(TENSORFLOW_FOLDER, values.gpu ? 'venv-gpu' : 'venv')
  const python = join(venv, 'bin', 'python')
  const npmPackage = `@tensorflow/tfjs-node${values.gpu ? '-gpu' : ''}`
  // The library alone is wanted: without CUDA it needs nothing of what the Python package depends on.
  const [pipPackage, pipFlags] = values.gpu ? ['tensorflow[and-cuda]', []] : ['tensorflow-cpu', ['--no-deps']]
  const pinned = values.version === undefined ? pipPackage : `${pipPackage}==${values.version}`

  mkdirSync(TENSORFLOW_FOLDER, { recursive: true })
  const manifest = join(TENSORFLOW_FOLDER, 'package.json')
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n')
  if (!existsSync(python)) run(values.python, ['-m', 'venv', venv])
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...pipFlags, pinned])
  const wanted = [`${npmPackage}@${TFJS_VERSION}`, 'node-api-headers@1']
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', TENSORFLOW_FOLDER, ...wanted])
  const bin = join(repositoryRoot, 'packages/backend-tfjs/dist/bin/dit-tensorflow.js')
  const gpu = values.gpu ? ['--gpu'] : []
  run(process.execPath, [bin, 'build', ...gpu, '--from', TENSORFLOW_FOLDER, '--python', python])
  console.log('to use it: export DIT_TFJS_NODE=$PWD/.tensorflow')
  return 0
}

function run(command: string, args: readonly string[]): void {
  console.log(`> ${[command, ...args].join(' ')}`)
  const { status, error } = spawnSync(command, args, { cwd: repositoryRoot, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} failed${error === undefined ? '' : `: ${error.message}`}`)
}

try {
  process.exitCode = main()
} catch (error) {
  console.error(`build:tensorflow: ${(error as Error).message}`)
  process.exitCode = 1
}
