import { dropLabels } from '@dit/adaln'
import { trainingLosses } from '@dit/diffusion'
import { forward, isTrainable, nullLabel, trainableParams } from '@dit/model'
import {
  adamw,
  assign,
  type Backend,
  mean,
  type Params,
  slice,
  type Tensor,
  reshape,
  toFloat32Array,
  updateEma,
  valueAndGrad,
  zeros,
} from '@dit/tensor'
import type { KindRunner } from '../outcome.js'
import { diffusionOf, modelConfig } from '../reference-names.js'

/** AdamW with an EMA, from losses of recorded batches. */
export const optimizer: KindRunner = async ({ config }, fixture, outcome) => {
  const { backend } = fixture
  const model = modelConfig(config.model)
  const params = fixture.params('model.')
  const trainable = trainableParams(model, params)
  const ema = copies(params, backend)
  const [m, v] = [blanks(trainable, backend), blanks(trainable, backend)]
  const diffusion = diffusionOf(config.diffusion)
  const { lr, betas, eps, weight_decay: weightDecay } = config.optimizer
  const losses: number[] = []

  for (let step = 1; step <= config.steps; step++) {
    const B = fixture.shape('in.t')[1]
    const row = (name: string) => fixture.values(name).slice((step - 1) * B, step * B)
    const labels = dropLabels(row('in.y'), {
      nullLabel: nullLabel(model)!,
      probability: config.mode === 'train' ? model.classDropout : 0,
      uniforms: row('in.label_rand'),
    })
    const { loss, gradients } = valueAndGrad(trainable, () => {
      const predict = (xt: Tensor, timesteps: Int32Array) => forward(model, params, { xt, timesteps, labels })
      const batch = { x0: entry(fixture.input('x_start'), step), noise: entry(fixture.input('noise'), step) }
      return { loss: mean(trainingLosses(diffusion, predict, { ...batch, timesteps: row('in.t') as Int32Array }).loss) }
    })
    losses.push((await toFloat32Array(loss))[0])
    for (const [name, parameter] of Object.entries(params)) {
      if (isTrainable(model, name)) {
        await outcome.read(`out.grad.step${step}.${name}`, gradients[name])
        adamw(
          { parameter, gradient: gradients[name], m: m[name], v: v[name], ema: ema[name] },
          {
            learningRate: lr,
            beta1: betas[0],
            beta2: betas[1],
            epsilon: eps,
            weightDecay,
            step,
            gradientScale: 1,
            emaDecay: config.ema_decay,
          },
        )
      } else {
        updateEma(ema[name], parameter, config.ema_decay)
      }
      await outcome.read(`out.param.step${step}.${name}`, parameter)
      await outcome.read(`out.ema.step${step}.${name}`, ema[name])
    }
  }
  outcome.set('out.loss', losses)
  for (const name of Object.keys(trainable)) {
    await outcome.read(`out.exp_avg.${name}`, m[name])
    await outcome.read(`out.exp_avg_sq.${name}`, v[name])
  }
}

function entry(x: Tensor, step: number): Tensor {
  return reshape(slice(x, 0, step - 1, 1), x.shape.slice(1))
}

function blanks(params: Params, backend: Backend): Params {
  return Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, zeros(shape, { backend })]))
}

function copies(params: Params, backend: Backend): Params {
  const copy = blanks(params, backend)
  for (const [name, tensor] of Object.entries(params)) assign(copy[name], tensor)
  return copy
}
