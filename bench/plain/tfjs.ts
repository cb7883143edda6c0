import { createRequire, register } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'

/** Starts tfjs on WASM SIMD with one thread, and its gradients; returns its version. */
export async function startTfjs(): Promise<string> {
  const { resolve } = createRequire(import.meta.url)
  setWasmPaths(join(dirname(resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist') + sep)
  setThreadsCount(1)
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs-wasm-plain: the wasm engine did not start')
  await loadTfjsGradients()
  return tf.version_core
}

/** The gradients, which the build of tfjs for Node does not register. */
export async function loadTfjsGradients(): Promise<void> {
  register('./gradients-hooks.mjs', import.meta.url)
  const gradients = '@tensorflow/tfjs-core/dist/register_all_gradients.js'
  await import(gradients)
}
