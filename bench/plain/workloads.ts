import * as tf from '@tensorflow/tfjs-core'
import type { CaseFiles } from '../case-files.js'
import type { AttentionSpec, CaseSpec, GemmSpec, RngSpec, SampleSpec, TrainStepSpec } from '../cases.js'
import { asVariables, attention, type PlainBatch, plainForward, plainGradients, plainTrainStep } from '../tfjs-plain.js'
import { spotValues, type Workload } from '../workload.js'
import { checkedValues, EMA_DECAY } from '../workloads/optimizer-check.js'
import { ADAM } from '../workloads/training.js'
import { readInputs, readVariables } from './params.js'

/** The case in plain tfjs. */
export async function plainWorkload(spec: CaseSpec, files: CaseFiles): Promise<Workload> {
  const inputs = await readInputs(files.inputs)
  switch (spec.kind) {
    case 'train-step':
      return trainStep(spec, files, inputs)
    case 'sample':
      return sample(spec, files, inputs)
    case 'gemm':
      return gemm(spec, inputs)
    case 'attention':
      return attentionGradient(spec, inputs)
    case 'optimizer':
      return optimizer(inputs)
    case 'rng':
      return rng(spec)
    default:
      throw new RangeError(`plainWorkload: unknown case (got ${JSON.stringify(spec)})`)
  }
}

type Inputs = Readonly<Record<string, tf.Tensor>>

const newAdam = () => tf.train.adam(ADAM.learningRate, ADAM.beta1, ADAM.beta2, ADAM.epsilon)

async function trainStep({ model }: TrainStepSpec, { weights }: CaseFiles, inputs: Inputs): Promise<Workload> {
  const params = await readVariables(model, weights!)
  const adam = newAdam()
  const batch = inputs as unknown as PlainBatch
  const trained = Object.values(params).filter(({ trainable }) => trainable)
  return {
    stateBytes: bytesOf(params) + 3 * bytesOf(trained),
    async verify() {
      const values: number[] = []
      for (let step = 0; step < 2; step++) {
        const { value, grads } = plainGradients(model, params, batch)
        const squares = tf.tidy(() => tf.addN(Object.values(grads).map((gradient) => tf.sum(tf.square(gradient)))))
        values.push((await value.data())[0], Math.sqrt((await squares.data())[0]))
        adam.applyGradients(asVariables(grads))
        tf.dispose([value, grads, squares])
      }
      return values
    },
    run: async () => void (await plainTrainStep(model, params, adam, batch)),
  }
}

async function sample(
  { model, batch, steps, guidance }: SampleSpec,
  { weights }: CaseFiles,
  inputs: Inputs,
): Promise<Workload> {
  const params = await readVariables(model, weights!)
  const timesteps = await inputs['timesteps'].data()
  const alphaBar = await inputs['alphaBar'].data()
  const labels = tf.concat([inputs['labels'], labelsOf(batch, model.numClasses)]) as tf.Tensor1D

  function step(xt: tf.Tensor, i: number): tf.Tensor {
    const [now, previous] = [alphaBar[i], i === 0 ? 1 : alphaBar[i - 1]]
    const told = labelsOf(2 * batch, timesteps[i])
    const output = plainForward(model, params, tf.concat([xt, xt]), told, labels)
    const [cond, uncond] = tf.split(output, 2)
    const noise = tf.add(uncond, tf.mul(tf.sub(cond, uncond), guidance))
    const x0 = tf.div(tf.sub(xt, tf.mul(noise, Math.sqrt(1 - now))), Math.sqrt(now))
    return tf.add(tf.mul(x0, Math.sqrt(previous)), tf.mul(noise, Math.sqrt(1 - previous)))
  }

  async function draw() {
    let xt = inputs['xT'].clone()
    for (let i = steps - 1; i >= 0; i--) {
      const next = tf.tidy(() => step(xt, i))
      xt.dispose()
      xt = next
    }
    const values = await xt.data()
    xt.dispose()
    return values
  }

  return {
    stateBytes: bytesOf(params),
    verify: async () => spotValues(await draw()),
    run: async () => void (await draw()),
  }
}

function gemm({ transposeA, transposeB, calls }: GemmSpec, { a, b }: Inputs): Workload {
  const multiply = async () => {
    for (let call = 1; call < calls; call++) tf.matMul(a, b, transposeA, transposeB).dispose()
    const product = tf.matMul(a, b, transposeA, transposeB)
    const values = await product.data()
    product.dispose()
    return values
  }
  return {
    stateBytes: bytesOf([a, b]),
    verify: async () => spotValues(await multiply()),
    run: async () => void (await multiply()),
  }
}

function attentionGradient({ numHeads }: AttentionSpec, { qkv, dout }: Inputs): Workload {
  const gradient = async () => {
    const dqkv = tf.grad((x) => tf.sum(tf.mul(attention(x, numHeads), dout)))(qkv)
    const values = await dqkv.data()
    dqkv.dispose()
    return values
  }
  return {
    stateBytes: bytesOf([qkv, dout]),
    verify: async () => spotValues(await gradient()),
    run: async () => void (await gradient()),
  }
}

function optimizer({ parameter, gradient }: Inputs): Workload {
  const weights = tf.variable(parameter, true, 'parameter')
  const ema = tf.variable(tf.zerosLike(parameter), false, 'ema')
  const adam = newAdam()
  const update = () => {
    adam.applyGradients(asVariables({ parameter: gradient }))
    ema.assign(tf.tidy(() => tf.add(tf.mul(ema, EMA_DECAY), tf.mul(weights, 1 - EMA_DECAY))))
  }
  return {
    stateBytes: 5 * bytesOf([parameter]),
    async verify() {
      update()
      return checkedValues(await weights.data(), await ema.data())
    },
    run: async () => update(), // wasm computes at once
  }
}

/** The generator of tfjs is another one, so there is nothing to compare. */
function rng({ size }: RngSpec): Workload {
  return {
    stateBytes: 0,
    verify: async () => null,
    run: async () => tf.randomNormal([size]).dispose(),
  }
}

function labelsOf(batch: number, value: number): tf.Tensor1D {
  return tf.tensor1d(new Int32Array(batch).fill(value), 'int32')
}

function bytesOf(tensors: Inputs | readonly tf.Tensor[]): number {
  return 4 * Object.values(tensors).reduce((size, tensor) => size + tensor.size, 0)
}
