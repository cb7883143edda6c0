/// <reference types="vite/client" />
import { type EngineName, fromTf, tfjs, toTf } from '@dit/backend-tfjs'
import { add, type Backend, dispose } from '@dit/tensor'
import { runConformance } from '@dit/tensor/conformance'
import * as tf from '@tensorflow/tfjs-core'
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'

/** How a case of the conformance suite went, as plain data that can leave the page. */
export interface ConformanceLine {
  readonly name: string
  readonly error: string | null
}

const wasmPaths = {
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
}

/** An engine, whose package registers the flags that are set here. */
async function open(engine: EngineName): Promise<Backend> {
  if (engine === 'wasm') {
    await import('@tensorflow/tfjs-backend-wasm')
    // Minified code has no threads in tfjs: its workers look for names that are gone.
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
    return tfjs({ engine, wasmPaths })
  }
  if (engine === 'webgpu') {
    await import('@tensorflow/tfjs-backend-webgpu')
    // Else small tensors that the card has not seen are computed on the processor, and hide what its kernels do.
    tf.env().set('WEBGPU_CPU_FORWARD', false)
  }
  return tfjs({ engine })
}

/** Runs the conformance suite with its own tolerances. */
async function conformance(engine: EngineName): Promise<ConformanceLine[]> {
  const results = await runConformance(await open(engine))
  return results.map(({ name, error }) => ({ name, error: error && error.message }))
}

/** A tensor of tfjs is doubled by dit and squared by tfjs; and the tensors of tfjs that are there more than before. */
async function roundTrip(engine: EngineName): Promise<{ readonly values: readonly number[]; readonly left: number }> {
  const backend = await open(engine)
  await tf.setBackend(engine)
  const before = tf.memory().numTensors
  const theirs = tf.tensor1d([1, 2, -3])
  const x = fromTf(theirs, { backend })
  const doubled = add(x, x)
  const out = toTf(doubled)
  dispose([x, doubled])
  const squared = tf.square(out)
  const values = [...(await squared.data())]
  tf.dispose([theirs, out, squared])
  return { values, left: tf.memory().numTensors - before }
}

Object.assign(globalThis, { conformance, roundTrip })
