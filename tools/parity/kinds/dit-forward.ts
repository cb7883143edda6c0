import { dropLabels } from '@dit/adaln'
import { forward, nullLabel } from '@dit/model'
import { guidedDoubled } from '@dit/sampler'
import { keep, type Tensor } from '@dit/tensor'
import type { KindRunner } from '../outcome.js'
import { modelConfig } from '../reference-names.js'

/** Whole forward passes, their intermediates, label dropout and the guided forward. */
export const ditForward: KindRunner = async ({ config }, fixture, outcome) => {
  const model = modelConfig(config.model)
  const params = fixture.params('model.')
  const xt = fixture.input('x')
  const [timesteps, labels] = [fixture.timesteps('t'), fixture.ints('y')]

  const trace = new Map<string, Tensor>()
  const options = { trace: (name: string, value: Tensor) => void trace.set(name, keep(value)) }
  await outcome.read('out.forward', forward(model, params, { xt, timesteps, labels }, options))
  for (const [name, value] of trace) await outcome.read(`out.trace.${name}`, value)

  if (fixture.has('in.label_rand')) {
    const dropped = dropLabels(labels, {
      nullLabel: nullLabel(model)!,
      probability: model.classDropout,
      uniforms: fixture.values('in.label_rand'),
    })
    await outcome.read('out.forward_train', forward(model, params, { xt, timesteps, labels: dropped }))
  }
  for (const scale of config.cfg_scales as number[]) {
    const guided = guidedDoubled((x, t, y) => forward(model, params, { xt: x, timesteps: t, labels: y }), {
      labels: fixture.ints('cfg.y'),
      scale,
    })
    const name = String(scale).replace('-', 'm').replace('.', 'p')
    await outcome.read(`out.cfg.s${name}`, guided(fixture.input('cfg.x'), fixture.timesteps('cfg.t')))
  }
}
