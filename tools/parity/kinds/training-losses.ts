import { dropLabels } from '@dit/adaln'
import { type TrainingLosses, trainingLosses } from '@dit/diffusion'
import { forward, nullLabel, trainableParams } from '@dit/model'
import { keep, mean, type Tensor, valueAndGrad } from '@dit/tensor'
import type { KindRunner } from '../outcome.js'
import { diffusionOf, modelConfig } from '../reference-names.js'

/** Losses per sample for every variant of the process, and gradients of their mean. */
export const lossesAndGradients: KindRunner = async ({ config, tensors }, fixture, outcome) => {
  const model = modelConfig(config.model)
  const params = fixture.params('model.')
  const [x0, noise] = [fixture.input('x_start'), fixture.input('noise')]
  const labels =
    config.mode === 'train'
      ? dropLabels(fixture.ints('y'), {
          nullLabel: nullLabel(model)!,
          probability: model.classDropout,
          uniforms: fixture.values('in.label_rand'),
        })
      : fixture.ints('y')

  for (const [variant, description] of Object.entries<Parameters<typeof diffusionOf>[0]>(config.variants)) {
    const diffusion = diffusionOf(description)
    const timesteps = fixture.ints(`${variant}.t`)
    const seen: { xt?: Tensor; modelT?: Int32Array; output?: Tensor; losses?: TrainingLosses } = {}
    const { gradients } = valueAndGrad(trainableParams(model, params), () => {
      const predict = (xt: Tensor, modelT: Int32Array) => {
        seen.xt = keep(xt)
        seen.modelT = modelT
        seen.output = keep(forward(model, params, { xt, timesteps: modelT, labels }))
        return seen.output
      }
      seen.losses = keep(trainingLosses(diffusion, predict, { x0, timesteps, noise }))
      return { loss: mean(seen.losses.loss) }
    })
    await outcome.read(`out.${variant}.x_t`, seen.xt!)
    outcome.set(`out.${variant}.model_t`, seen.modelT!)
    await outcome.read(`out.${variant}.model_output`, seen.output!)
    for (const [term, value] of Object.entries(seen.losses!)) await outcome.read(`out.${variant}.${term}`, value)
    const wanted = tensors!.filter(({ name }) => name.startsWith(`out.${variant}.grad.`))
    for (const { name } of wanted) await outcome.read(name, gradients[name.slice(`out.${variant}.grad.`.length)])
  }
}
