import { originalTimesteps } from '@dit/diffusion'
import type { DiTConfig } from '@dit/model'
import { startNoise } from '@dit/sampler'
import { type Backend, type Tensor, toFloat32Array } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { plainForward, type PlainParams } from '../tfjs-plain.js'
import { FAVICON_LABEL, faviconProcess } from './case.js'

/** What the same picture takes in plain tfjs. */
export interface TfjsCase {
  readonly params: PlainParams
  /** `[1, 3, 32, 32]` */
  readonly xT: tf.Tensor
}

/** The same weights and noise on the engine of tfjs that is chosen. */
export async function tfjsCase(backend: Backend, params: Readonly<Record<string, Tensor>>): Promise<TfjsCase> {
  const copies: Record<string, tf.Tensor> = {}
  for (const [name, param] of Object.entries(params)) {
    const isTable = name.startsWith('y_embedder') || name === 'pos_embed'
    const values = tf.tensor(await toFloat32Array(param), [...param.shape])
    const { shape, size } = values
    copies[name] = shape.length > 1 && !isTable ? tf.transpose(tf.reshape(values, [shape[0], size / shape[0]])) : values
  }
  const noise = startNoise([1, 3, 32, 32], { seed: 0, backend })
  const xT = tf.tensor(await toFloat32Array(noise), [1, 3, 32, 32])
  noise.dispose()
  return { params: copies, xT }
}

/**
 * One picture, `[1, 3, 32, 32]`, by the steps of DDIM.
 *
 * Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", eq. 12 with eta = 0.
 */
export async function tfjsSample(
  { params, xT }: TfjsCase,
  { steps, model }: { readonly steps: number; readonly model: DiTConfig },
): Promise<Float32Array> {
  const { diffusion } = faviconProcess(steps)
  const { alphaBar, alphaBarPrev } = diffusion.tables
  const picture = tf.tidy(() => {
    const labels = tf.tensor1d([FAVICON_LABEL], 'int32')
    let xt = xT
    for (let i = steps - 1; i >= 0; i--) {
      const timesteps = tf.tensor1d([...originalTimesteps(diffusion, Int32Array.of(i))], 'int32')
      const noise = plainForward(model, params, xt, timesteps, labels)
      const [signal, spread] = [Math.sqrt(alphaBar[i]), Math.sqrt(1 - alphaBar[i])]
      const x0 = tf.clipByValue(tf.div(tf.sub(xt, tf.mul(noise, spread)), signal), -1, 1)
      const direction = tf.div(tf.sub(xt, tf.mul(x0, signal)), spread)
      xt = tf.add(tf.mul(x0, Math.sqrt(alphaBarPrev[i])), tf.mul(direction, Math.sqrt(1 - alphaBarPrev[i])))
    }
    return xt
  })
  const reading = picture.data<'float32'>()
  const values = await reading
  picture.dispose()
  return values
}
