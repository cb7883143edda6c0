import { dropLabels } from '@dit/adaln'
import { flowProcess } from '@dit/diffusion'
import { type DiTConfig, forwardWithTokens, nullLabel } from '@dit/model'
import {
  add,
  affine,
  div,
  keep,
  linear,
  mean,
  mul,
  type Params,
  reshape,
  sqrt,
  square,
  sum,
  type Tensor,
  valueAndGrad,
} from '@dit/tensor'
import type { KindRunner } from '../outcome.js'
import { modelConfig } from '../reference-names.js'

/** REPA's training: the loss of the flow, and the alignment of tokens with features of other networks. */
export const repaTraining: KindRunner = async ({ config }, fixture, outcome) => {
  const model: DiTConfig = modelConfig({ mlp_ratio: 4, learn_sigma: false, ...config.model })
  const labels = dropLabels(fixture.ints('y'), {
    nullLabel: nullLabel(model)!,
    probability: model.classDropout,
    uniforms: fixture.values('in.label_rand'),
  })
  const times = Float32Array.from(fixture.values('in.draw'))
  const features = (config.model.z_dims as number[]).map((_, i) => fixture.input(`z${i}`))
  const process = flowProcess()
  const { aux, loss, gradients } = valueAndGrad(fixture.params('model.'), (params) => {
    const seen: Record<string, Tensor> = {}
    const projected: Tensor[] = []
    const losses = process.losses(
      (xt, timesteps) => {
        const isOwn = ([name]: readonly [string, Tensor]) => !name.startsWith('projectors.')
        const own = Object.fromEntries(Object.entries(params).filter(isOwn))
        const { output, tokens } = forwardWithTokens(
          model,
          own,
          { xt, timesteps, labels },
          { after: config.model.encoder_depth },
        )
        Object.assign(seen, { xt: handle(xt), output: handle(output) })
        projected.push(...features.map((_, i) => keep(projector(params, i, tokens))))
        return output
      },
      { x0: fixture.input('x'), noise: fixture.input('noise'), timesteps: times },
    )
    const similarities = projected.map((tokens, i) => similarity(features[i], tokens))
    const projection = affine(
      similarities.reduce((total, each) => add(total, each)),
      -1 / similarities.length,
    )
    return {
      loss: add(mean(losses.loss), affine(projection, config.coefficient)),
      denoising: losses.loss,
      projection,
      projected,
      seen,
    }
  })
  loss.dispose()
  await outcome.read('out.denoising_loss', aux.denoising)
  await outcome.read('out.proj_loss', aux.projection)
  await outcome.read('out.x_t', aux.seen.xt)
  outcome.set('out.t', times)
  await outcome.read('out.model_output', aux.seen.output)
  for (const [i, tokens] of aux.projected.entries()) await outcome.read(`out.projected${i}`, tokens)
  for (const [name, gradient] of Object.entries(gradients)) await outcome.read(`out.grad.${name}`, gradient)
}

/** Linear, SiLU, Linear, SiLU, Linear. */
function projector(params: Params, index: number, tokens: Tensor): Tensor {
  const layer = (x: Tensor, number: number, activation: 'silu' | 'none') => {
    const name = `projectors.${index}.${number}`
    return linear(x, params[`${name}.weight`], params[`${name}.bias`], { activation })
  }
  return layer(layer(layer(tokens, 0, 'silu'), 2, 'silu'), 4, 'none')
}

/** Mean over samples and tokens of the cosine between features. */
function similarity(a: Tensor, b: Tensor): Tensor {
  const unit = (x: Tensor) => div(x, sqrt(sum(square(x), [-1], { keepDims: true })))
  return mean(sum(mul(unit(a), unit(b)), [-1]))
}

/** Another handle of a tensor, which outlives the scope of the first. */
function handle(x: Tensor): Tensor {
  return keep(reshape(x, x.shape))
}
