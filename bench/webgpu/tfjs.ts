import { isTrainable, parameterShapes } from '@dit/model'
import * as tf from '@tensorflow/tfjs-core'
import { attention, plainForward, plainTrainStep } from '../tfjs-plain.js'
import { ADAM } from '../workloads/training.js'
import { B, type CaseName, type Encode, GEMM, IMAGES, LABELS, model, QKV, TIMESTEPS } from './cases.js'

/** The cases in plain tfjs, on the engine that is chosen. */
export const TFJS: Readonly<Record<CaseName, () => Encode>> = {
  'train-step'() {
    const params = variables()
    const adam = tf.train.adam(ADAM.learningRate, ADAM.beta1, ADAM.beta2, ADAM.epsilon)
    const batch = { xt: tf.zeros(IMAGES), noise: tf.zeros(IMAGES), ...conditions(B) }
    return async () => void (await plainTrainStep(model, params, adam, batch))
  },
  sample() {
    const params = variables()
    const xt = tf.zeros([2 * B, ...IMAGES.slice(1)])
    const { timesteps, labels } = conditions(2 * B)
    return () => finish(plainForward(model, params, xt, timesteps, labels))
  },
  gemm() {
    const [a, b] = [tf.zeros<tf.Rank.R2>([GEMM.M, GEMM.K]), tf.zeros<tf.Rank.R2>([GEMM.K, GEMM.N])]
    return () => {
      for (let call = 1; call < GEMM.calls; call++) tf.matMul(a, b).dispose()
      return finish(tf.matMul(a, b))
    }
  },
  attention() {
    const [B, N, D] = QKV.shape
    const qkv = tf.variable(tf.zeros([B, N, 3 * D]))
    const dout = tf.zeros([B, N, D])
    return async () => {
      const { value, grads } = tf.variableGrads(
        (): tf.Scalar => tf.sum(tf.mul(attention(qkv, QKV.numHeads), dout)),
        [qkv],
      )
      const reading = finish(value)
      await reading
      tf.dispose(grads)
    }
  },
}

function variables(): Record<string, tf.Variable> {
  const params: Record<string, tf.Variable> = {}
  for (const [name, own] of Object.entries(parameterShapes(model))) {
    const isTable = name.startsWith('y_embedder') || name === 'pos_embed'
    const size = own.reduce((product, extent) => product * extent, 1)
    const place = own.length > 1 && !isTable ? [size / own[0], own[0]] : [...own]
    params[name] = tf.variable(tf.zeros(place), isTrainable(model, name))
  }
  return params
}

function conditions(count: number): { readonly timesteps: tf.Tensor1D; readonly labels: tf.Tensor1D } {
  return { timesteps: tf.tensor1d(TIMESTEPS(count), 'int32'), labels: tf.tensor1d(LABELS(count), 'int32') }
}

async function finish(result: tf.Tensor): Promise<void> {
  const reading = result.data()
  await reading
  result.dispose()
}
