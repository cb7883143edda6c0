import * as tf from '@tensorflow/tfjs-core'
import { checkNativePart, findPackage } from './find-package.js'
import { canFuse } from './fused-matmul.js'
import { loadingTrouble, type TensorflowDevice, TensorflowError } from './problem.js'

export interface TensorflowOptions {
  /** `cpu` loads `@tensorflow/tfjs-node`, `gpu` loads `@tensorflow/tfjs-node-gpu`. Neither stands in for the other. */
  readonly device?: TensorflowDevice
  /** Threads of one op on the CPU; all processors by default. */
  readonly threads?: number
  /** Whether products on the GPU may round their inputs to TF32 (10 bits of mantissa, several times faster). */
  readonly tf32?: boolean
  /** Folder whose `node_modules` has the package; see `DIT_TFJS_NODE`. */
  readonly from?: string
}

/** What the engine `tensorflow` runs on. */
export interface TensorflowFeatures {
  readonly device: TensorflowDevice
  /** Version of the npm package. */
  readonly packageVersion: string
  /** Version of the library that computes. */
  readonly libraryVersion: string
  readonly threads: number
  /** Always false on the CPU. */
  readonly tf32: boolean
  /** Whether a product and its bias are one op, as with a binding of `dit-tensorflow build`; else they are two. */
  readonly fusesBias: boolean
}

/** The parts of tfjs-node that are used here. */
interface TfjsNode {
  readonly version: Readonly<Record<string, string>>
}

interface NodeBackend {
  readonly isUsingGpuDevice: boolean
  readonly binding: { readonly TF_Version: string }
}

/**
 * Loads tfjs-node or tfjs-node-gpu, which registers the engine `tensorflow`. Environment variables that the library reads
 * as it starts are set first, but for those that the caller's environment has:
 *
 * - `TF_CPP_MIN_LOG_LEVEL=2`: errors only
 * - `TF_FORCE_GPU_ALLOW_GROWTH=true`: takes GPU memory as it needs it, not all of the card at once
 * - `NVIDIA_TF32_OVERRIDE=0`, and none where `tf32` is asked for, whatever the caller's environment says
 * - `TF_NUM_INTRAOP_THREADS` where `threads` is given
 *
 * @throws TensorflowError saying what is missing and how to get it
 */
export function loadTensorflow({ device = 'cpu', threads, tf32 = false, from }: TensorflowOptions): TensorflowFeatures {
  const found = findPackage(device, from)
  checkNativePart(found)
  const { availableParallelism } = process.getBuiltinModule('node:os')
  setDefault('TF_CPP_MIN_LOG_LEVEL', '2')
  setDefault('TF_FORCE_GPU_ALLOW_GROWTH', 'true')
  if (tf32) delete process.env['NVIDIA_TF32_OVERRIDE']
  else process.env['NVIDIA_TF32_OVERRIDE'] = '0'
  if (threads !== undefined) {
    process.env['TF_NUM_INTRAOP_THREADS'] = String(threads)
    process.env['TF_NUM_INTEROP_THREADS'] = '1'
  }
  const module = requireQuietly(found.entry, (error) => loadingTrouble(device, found.binding, error.message))
  const backend = tf.findBackend('tensorflow') as unknown as NodeBackend | null
  if (backend === null || module.version['tfjs-core'] !== tf.version_core) {
    throw new TensorflowError(
      'does-not-start',
      `${found.name} ${found.version} brings tfjs-core ${module.version['tfjs-core']}, but @tensorflow/tfjs-core here is ${tf.version_core}`,
      `npm install @tensorflow/tfjs-core@${module.version['tfjs-core']}`,
    )
  }
  if (backend.isUsingGpuDevice !== (device === 'gpu')) throw deviceTrouble(device, found.name)
  return {
    device,
    packageVersion: found.version,
    libraryVersion: backend.binding.TF_Version,
    threads: device === 'gpu' ? 1 : (threads ?? availableParallelism()),
    tf32: device === 'gpu' && tf32,
    fusesBias: canFuse(),
  }
}

function deviceTrouble(device: TensorflowDevice, name: string): TensorflowError {
  return device === 'gpu'
    ? new TensorflowError('no-device', `${name} is loaded, but TensorFlow finds no GPU that it can use`, 'dit doctor')
    : new TensorflowError(
        'does-not-start',
        `${name} was asked for the CPU, but its library computes on a GPU`,
        "ask for the GPU (device: 'gpu', --backend tfjs-node-gpu), or hide it: CUDA_VISIBLE_DEVICES=-1",
      )
}

function setDefault(name: string, value: string): void {
  if (process.env[name] === undefined) process.env[name] = value
}

function requireQuietly(entry: string, explain: (error: Error) => TensorflowError): TfjsNode {
  const { createRequire } = process.getBuiltinModule('node:module')
  const util = process.getBuiltinModule('node:util') as unknown as Record<string, unknown>
  // tfjs-node 4.22 calls these two, which Node 23 has removed.
  util['isNullOrUndefined'] ??= (x: unknown) => x === null || x === undefined
  util['isArray'] ??= Array.isArray
  // It brings all of tfjs, which warns of every kernel that an engine loaded before has registered already.
  const isQuiet = tf.env().getBool('PROD')
  tf.env().set('PROD', true)
  try {
    return createRequire(entry)(entry) as TfjsNode
  } catch (error) {
    const trouble = explain(error as Error)
    trouble.cause = error
    throw trouble
  } finally {
    tf.env().set('PROD', isQuiet)
  }
}
