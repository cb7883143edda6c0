import { spawn } from 'node:child_process'
import {
  type BindingRecord,
  checkNativePart,
  DOWNLOADED,
  findPackage,
  type TfjsNodePackage,
} from '../tensorflow/find-package.js'
import {
  buildCommand,
  libraryFix,
  libraryText,
  loadingTrouble,
  type TensorflowDevice,
  TensorflowError,
} from '../tensorflow/problem.js'

/** A TensorFlow that loads, and computes where it was asked to. */
export interface TensorflowProbe {
  readonly device: TensorflowDevice
  readonly packageName: string
  readonly packageVersion: string
  readonly libraryVersion: string
}

export interface ProbeOptions {
  /** Folder whose `node_modules` has the package; see `DIT_TFJS_NODE`. */
  readonly from?: string
  /** Environment of the process that tries it; by default that of this one. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Tries the engine `tensorflow` in a process of its own, and finds out what is missing from what the library says there.
 *
 * @throws TensorflowError where it cannot be used, saying why and what to do
 */
export async function probeTensorflow(
  device: TensorflowDevice,
  { from, env = process.env }: ProbeOptions = {},
): Promise<TensorflowProbe> {
  const found = findPackage(device, from ?? env['DIT_TFJS_NODE'])
  checkNativePart(found)
  const said = await run(found.entry, env)
  const answer = said.stdout.split('\n').find((line) => line.startsWith(MARK))
  if (answer === undefined) throw loadFailure(found, said)
  const { library, gpu } = JSON.parse(answer.slice(MARK.length)) as { library: string; gpu: boolean }
  if (device === 'gpu' && !gpu) throw gpuTrouble(found, said.stderr, env)
  return { device, packageName: found.name, packageVersion: found.version, libraryVersion: library }
}

const MARK = 'dit-tensorflow '

// In CommonJS; the two functions are gone from Node 23 and used by tfjs-node 4.22.
const CODE = `
const util = require('node:util')
util.isNullOrUndefined ??= (x) => x === null || x === undefined
util.isArray ??= Array.isArray
const tf = require(process.argv[1])
const backend = tf.findBackend('tensorflow')
console.log('\\n${MARK}' + JSON.stringify({ library: backend.binding.TF_Version, gpu: backend.isUsingGpuDevice }))
`

interface Said {
  readonly stdout: string
  readonly stderr: string
  readonly signal: string | null
}

function run(entry: string, env: NodeJS.ProcessEnv): Promise<Said> {
  const verbose = { TF_CPP_MIN_LOG_LEVEL: '0', TF_CPP_VMODULE: 'dso_loader=3', TF_FORCE_GPU_ALLOW_GROWTH: 'true' }
  const child = spawn(process.execPath, ['-e', CODE, entry], {
    env: { ...env, ...verbose },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_, signal) => resolve({ stdout, stderr, signal }))
  })
}

function loadFailure({ device, name, binding }: TfjsNodePackage, { stderr, signal }: Said): TensorflowError {
  if (signal !== null) {
    return new TensorflowError(
      'does-not-start',
      `${name} ends the process as it is loaded (${signal}): ${signal === 'SIGILL' ? 'its library is for another processor' : 'its native part may be broken'} (${binding})`,
      buildCommand(device),
    )
  }
  const line = /^(?:\w*Error|Uncaught \w*Error)(?: \[\w+\])?: (.*(?:\n(?!\s+at ).*)*)/m.exec(stderr)
  return loadingTrouble(device, binding, line?.[1] ?? stderr.trim())
}

/** Why TensorFlow with CUDA finds no GPU: what its log says. */
function gpuTrouble({ device, name, record }: TfjsNodePackage, log: string, env: NodeJS.ProcessEnv): TensorflowError {
  if (record !== null && record.cuda === null) {
    return new TensorflowError(
      'no-device',
      `${name} is loaded, but the TensorFlow ${record.tensorflow} that it was built against has no CUDA`,
      buildCommand(device),
    )
  }
  const missing = missingLibraries(log)
  if (missing.length > 0) {
    // Without the driver TensorFlow does not look for the others.
    const file = missing.find((file) => file.startsWith('libcuda.so')) ?? missing[0]
    const others = missing.filter((other) => other !== file)
    const also = others.length === 0 ? '' : `, nor ${others.join(', ')}`
    return new TensorflowError(
      'no-library',
      `${name} is loaded, but ${file} is not found (${libraryText(file)})${also}; ${wantedText(record ?? DOWNLOADED)}`,
      libraryFix(file),
    )
  }
  const hidden = env['CUDA_VISIBLE_DEVICES']
  if (hidden !== undefined && /^(|-1.*|none)$/i.test(hidden.trim())) {
    return new TensorflowError(
      'no-device',
      `${name} is loaded, but CUDA_VISIBLE_DEVICES=${JSON.stringify(hidden)} hides every GPU`,
      'unset CUDA_VISIBLE_DEVICES',
    )
  }
  const reason = /(CUDA_ERROR_\w+(?::[^\n]*)?)/.exec(log)?.[1]
  const unsupported = /(Ignoring visible gpu device[^\n]*)/.exec(log)?.[1]
  return new TensorflowError(
    'no-device',
    `${name} is loaded, but TensorFlow finds no GPU (${unsupported ?? reason ?? 'it gives no reason'}); ${wantedText(record ?? DOWNLOADED)}`,
    unsupported === undefined
      ? "nvidia-smi must list a card; if it does, NVIDIA's driver is too old"
      : buildCommand(device),
  )
}

/** Libraries of CUDA and cuDNN that TensorFlow looked for and did not find, from its log. */
export function missingLibraries(log: string): string[] {
  const named = [...log.matchAll(/Could not load dynamic library '(lib(?:cu|nccl|nvJitLink|nvidia-ml)[^']*)'/g)]
  return [...new Set(named.map((match) => match[1]))]
}

function wantedText({ tensorflow, cuda, cudnn }: BindingRecord): string {
  return `TensorFlow ${tensorflow} wants CUDA ${cuda ?? 'of a version that it does not tell'} and cuDNN ${cudnn ?? 'likewise'}`
}
