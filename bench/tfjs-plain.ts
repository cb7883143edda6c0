import type { DiTConfig } from '@dit/model'
import * as tf from '@tensorflow/tfjs-core'

/**
 * A DiT in plain tfjs, as somebody would write it who has read the paper and the documentation of tfjs: the yardstick of the
 * bench. It takes what tfjs offers (its tape, its Adam) and avoids what is known to be slow in it where that costs a line:
 * weights lie `[in, out]` and rows are flattened before a product, as `tf.layers` does, because matMul on wasm is fast only
 * for two plain matrices. Labels go through a one-hot product: the gradient of gather needs a kernel that wasm lacks, and so
 * does that of a convolution, hence the patches.
 */

/** Parameters by state-dict name; linear weights `[in, out]`. */
export type PlainParams = Readonly<Record<string, tf.Tensor>>

/** What a step reads: `[B, C, H, W]`, `[B, C, H, W]`, `[B]`, `[B]`. */
export interface PlainBatch {
  readonly xt: tf.Tensor
  readonly noise: tf.Tensor
  readonly timesteps: tf.Tensor1D
  readonly labels: tf.Tensor1D
}

/** One training step: forward, backward, Adam. Returns the loss. */
export async function plainTrainStep(
  config: DiTConfig,
  params: Readonly<Record<string, tf.Variable>>,
  optimizer: tf.AdamOptimizer,
  batch: PlainBatch,
): Promise<number> {
  const { value, grads } = plainGradients(config, params, batch)
  optimizer.applyGradients(asVariables(grads))
  const [loss] = await value.data()
  tf.dispose([value, grads])
  return loss
}

/** Loss and gradients of the trained parameters, by the names of their variables. */
export function plainGradients(config: DiTConfig, params: Readonly<Record<string, tf.Variable>>, batch: PlainBatch) {
  const trained = Object.values(params).filter(({ trainable }) => trainable)
  return tf.variableGrads((): tf.Scalar => {
    const predicted = plainForward(config, params, batch.xt, batch.timesteps, batch.labels)
    return tf.mean(tf.square(tf.sub(predicted, batch.noise)))
  }, trained)
}

/** tfjs declares that optimizers take variables, but they take the gradients that `variableGrads` gives. */
export function asVariables(gradients: tf.NamedTensorMap): Record<string, tf.Variable> {
  return gradients as Record<string, tf.Variable>
}

/** `[B, C, H, W]` to `[B, C, H, W]`. */
export function plainForward(
  config: DiTConfig,
  params: PlainParams,
  xt: tf.Tensor,
  timesteps: tf.Tensor1D,
  labels: tf.Tensor1D,
): tf.Tensor {
  return tf.tidy(() => {
    const layer = (x: tf.Tensor, name: string) => dense(x, params[`${name}.weight`], params[`${name}.bias`])
    let x = tf.add(layer(patches(xt, config.patchSize), 'x_embedder.proj'), params['pos_embed']) // [B, N, D]

    const t = layer(silu(layer(timestepFeatures(timesteps), 't_embedder.mlp.0')), 't_embedder.mlp.2') // [B, D]
    const table = params['y_embedder.embedding_table.weight']
    const y = tf.matMul(tf.oneHot(labels, table.shape[0]), table) // [B, D]
    const c = silu(tf.add(t, y))

    for (let i = 0; i < config.depth; i++) {
      const inBlock = (h: tf.Tensor, name: string) => layer(h, `blocks.${i}.${name}`)
      const [shift1, scale1, gate1, shift2, scale2, gate2] = parts(inBlock(c, 'adaLN_modulation.1'), 6) // [B, 1, D]
      const mixed = attention(inBlock(modulate(layerNorm(x), shift1, scale1), 'attn.qkv'), config.numHeads)
      x = tf.add(x, tf.mul(gate1, inBlock(mixed, 'attn.proj')))
      const hidden = gelu(inBlock(modulate(layerNorm(x), shift2, scale2), 'mlp.fc1'))
      x = tf.add(x, tf.mul(gate2, inBlock(hidden, 'mlp.fc2')))
    }

    const [shift, scale] = parts(layer(c, 'final_layer.adaLN_modulation.1'), 2)
    return image(layer(modulate(layerNorm(x), shift, scale), 'final_layer.linear'), config.patchSize, xt.shape)
  })
}

function dense(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const [width, out] = weight.shape
  const rows = tf.add(tf.matMul(tf.reshape(x, [-1, width]), weight), bias)
  return tf.reshape(rows, [...x.shape.slice(0, -1), out])
}

/** `[B, N, 3 D]` to `[B, N, D]`. */
export function attention(qkv: tf.Tensor, numHeads: number): tf.Tensor {
  const [B, N, width] = qkv.shape
  const headDim = width / 3 / numHeads
  const split = tf.transpose(tf.reshape(qkv, [B, N, 3, numHeads, headDim]), [2, 0, 3, 1, 4])
  const [q, k, v] = tf.unstack(split) // [B, numHeads, N, headDim]
  const weights = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(headDim))) // [B, numHeads, N, N]
  return tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), [B, N, width / 3])
}

function layerNorm(x: tf.Tensor): tf.Tensor {
  const { mean, variance } = tf.moments(x, -1, true)
  return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-6)))
}

function modulate(x: tf.Tensor, shift: tf.Tensor, scale: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(x, tf.add(scale, 1)), shift)
}

/** `[B, count D]` to `count` times `[B, 1, D]`. */
function parts(modulation: tf.Tensor, count: number): tf.Tensor[] {
  return tf.split(tf.expandDims(modulation, 1), count, -1)
}

function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x))
}

/** The tanh approximation. */
function gelu(x: tf.Tensor): tf.Tensor {
  const cubic = tf.mul(tf.mul(tf.square(x), x), 0.044715)
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(tf.add(x, cubic), Math.sqrt(2 / Math.PI))), 1))
}

/** `[B]` to `[B, 256]`. */
function timestepFeatures(timesteps: tf.Tensor1D): tf.Tensor {
  const frequencies = tf.exp(tf.mul(tf.range(0, 128, 1, 'float32'), -Math.log(10000) / 128))
  const angles = tf.mul(tf.expandDims(tf.cast(timesteps, 'float32'), 1), frequencies)
  return tf.concat([tf.cos(angles), tf.sin(angles)], 1)
}

/** `[B, C, H, W]` to `[B, N, C P P]`. */
function patches(x: tf.Tensor, P: number): tf.Tensor {
  const [B, C, H, W] = x.shape
  const cut = tf.transpose(tf.reshape(x, [B, C, H / P, P, W / P, P]), [0, 2, 4, 1, 3, 5])
  return tf.reshape(cut, [B, (H * W) / P ** 2, C * P ** 2])
}

/** `[B, N, P P C]` to `[B, C, H, W]`. */
function image(tokens: tf.Tensor, P: number, shape: readonly number[]): tf.Tensor {
  const [B, C, H, W] = shape
  const whole = tf.transpose(tf.reshape(tokens, [B, H / P, W / P, P, P, C]), [0, 5, 1, 3, 2, 4])
  return tf.reshape(whole, [B, C, H, W])
}
