import { dropLabels } from '@dit/adaln'
import { randomStream, uniforms } from '@dit/random'
import { defineNetwork, type Network, type TrainBatch } from '@dit/train-ddp'
import { nullClass, sidesOf, type UNetConfig } from './config.js'
import { countUNet } from './count.js'
import { unetForward } from './forward.js'
import { initUNet, unetParameterShapes } from './parameters.js'
import { planUNet } from './plan.js'

/** `spec` of a `unet` network. */
export interface UNetSpec {
  readonly kind: 'unet'
  readonly config: UNetConfig
  /** As `countUNet` counts, for tables of runs. */
  readonly parameters: number
  readonly multiplyAdds: number
}

/**
 * A class-conditional U-Net as a network to train: `denoising(unet(config), process)`. Batches hold `x0` and `labels`.
 *
 * @throws RangeError for a configuration that cannot be
 */
export function unet(config: UNetConfig): Network<Int32Array> & { readonly spec: UNetSpec } {
  const { down, up } = planUNet(config)
  const { parameters, multiplyAdds } = countUNet(config)
  const shapes = Object.entries(unetParameterShapes(config))
  return defineNetwork({
    spec: { kind: 'unet', config, parameters, multiplyAdds },
    parameters: Object.fromEntries(shapes.map(([name, shape]) => [name, { shape }])),
    blocks: down.length + 1 + up.length,
    inputShape: [config.inChannels, ...sidesOf(config)],
    outputsPerChannel: config.learnSigma ? 2 : 1,
    classes: { numClasses: config.numClasses, nullLabel: nullClass(config), conditions: (labels) => labels },
    init: (options) => initUNet(config, options),
    conditions(batch, at) {
      const labels = labelsOf(config, batch)
      const none = nullClass(config)
      if (at === null || none === null) return labels
      // The stream of a DiT's labels: both drop the same ones.
      const draws = uniforms(randomStream(at.seed, 'label-dropout', at.step), labels.length, at.start)
      return dropLabels(labels, { nullLabel: none, probability: config.classDropout, uniforms: draws })
    },
    forward: (params, { xt, timesteps, conditions }, options) =>
      unetForward(config, params, { xt, timesteps, labels: conditions }, options),
  })
}

function labelsOf({ numClasses }: UNetConfig, { arrays }: TrainBatch): Int32Array {
  const { data, shape } = arrays.labels ?? {}
  if (!(data instanceof Int32Array) || shape.length > 0)
    throw new TypeError('unet: labels must be an Int32Array with one number per example (shape [])')
  const wrong = data.find((label) => label < 0 || label >= numClasses)
  if (wrong !== undefined) throw new RangeError(`unet: labels must be in 0..${numClasses - 1} (got ${wrong})`)
  return data
}
