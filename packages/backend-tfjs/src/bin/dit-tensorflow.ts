#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { findPackage } from '../tensorflow/find-package.js'
import { TensorflowError } from '../tensorflow/problem.js'
import { buildBinding } from '../node/build-binding.js'
import { libraryIn, libraryOfPython } from '../node/find-library.js'
import { probeTensorflow } from '../node/probe.js'

const USAGE = `dit-tensorflow build [--gpu] [--python <interpreter> | --library <folder>] [--from <folder>]
dit-tensorflow check [--gpu] [--from <folder>]

build  Builds the native part of @tensorflow/tfjs-node, or of @tensorflow/tfjs-node-gpu with --gpu, against a TensorFlow
       that is there: the one of a Python (--python, default python3), or an unpacked libtensorflow (--library).
       Wants a C++17 compiler, and the headers of Node or the npm package node-api-headers.
check  Loads it, and says what is missing.

--from is the folder whose node_modules has the npm package; by default as DIT_TFJS_NODE says, else the working folder.`

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      gpu: { type: 'boolean', default: false },
      python: { type: 'string' },
      library: { type: 'string' },
      from: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  const [command] = positionals
  const isUsage = values.python !== undefined && values.library !== undefined
  if (positionals.length !== 1 || (command !== 'build' && command !== 'check') || isUsage) {
    process.stderr.write(`${USAGE}\n`)
    return 2
  }
  const device = values.gpu ? 'gpu' : 'cpu'
  const found = findPackage(device, values.from)
  if (command === 'build') {
    const library =
      values.library === undefined ? libraryOfPython(values.python ?? 'python3') : libraryIn(values.library)
    process.stdout.write(`building ${found.binding}\n  against ${library.folder}\n`)
    const { tensorflow, cuda, cudnn } = await buildBinding(found, library)
    const wants = cuda === null ? 'no CUDA' : `CUDA ${cuda}, cuDNN ${cudnn}`
    process.stdout.write(`built: ${found.name} ${found.version} on TensorFlow ${tensorflow} (${wants})\n`)
  }
  const probe = await probeTensorflow(device, { from: values.from })
  process.stdout.write(
    `works: ${probe.packageName} ${probe.packageVersion}, TensorFlow ${probe.libraryVersion}, ${device}\n`,
  )
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const fix = error instanceof TensorflowError ? `\nto mend it: ${error.fix}` : ''
  process.stderr.write(`dit-tensorflow: ${(error as Error).message}${fix}\n`)
  process.exitCode = 1
}
