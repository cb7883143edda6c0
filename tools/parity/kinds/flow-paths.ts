import { dropLabels } from '@dit/adaln'
import { addFlowNoise, flowLosses, readPrediction, scoreOf, velocityOf } from '@dit/diffusion'
import { forward, nullLabel, trainableParams } from '@dit/model'
import { diffusionCoefficient, flowLevel, type NoiseLevel } from '@dit/schedules'
import { add, affine, concat, keep, mean, slice, stopGradient, type Tensor, valueAndGrad } from '@dit/tensor'
import type { Fixture } from '../fixture.js'
import { dummyFlow, formOf, sitFlow, sitInterval, transportOf } from '../flow.js'
import type { Case } from '../manifest.js'
import type { KindRunner, Outcome } from '../outcome.js'
import { modelConfig } from '../reference-names.js'

/** SiT's paths: coefficients, conversions, intervals and losses. Its time runs from noise to data, so its derivatives have the other sign. */
export const flowPaths: KindRunner = async (entry, fixture, outcome) => {
  if (entry.name === 'intervals') intervals(entry, outcome)
  else if (entry.config.class === 'SiT') await networkLoss(entry, fixture, outcome)
  else if (entry.config.variants !== undefined) await losses(entry, fixture, outcome)
  else await path(entry, fixture, outcome)
}

async function path({ config, facts, tensors = [] }: Case, fixture: Fixture, outcome: Outcome): Promise<void> {
  const flow = sitFlow(config.path)
  const levels = Array.from(fixture.values('in.t') as Float32Array, (t) => flowLevel(1 - t, flow))
  const scalars: Record<string, (level: NoiseLevel) => number> = {
    alpha: ({ alpha }) => alpha,
    d_alpha: ({ dAlpha }) => -dAlpha!,
    sigma: ({ sigma }) => sigma,
    d_sigma: ({ dSigma }) => -dSigma!,
    d_alpha_over_alpha: ({ alpha, dAlpha }) => -dAlpha! / alpha,
    drift_var: ({ diffusivity }) => diffusivity!,
  }
  for (const [name, value] of Object.entries(scalars)) outcome.set(`out.${name}`, levels.map(value))
  for (const { name } of tensors) {
    const [, form, norm] = /^out\.diffusion\.([^.]+)\.s(.+)$/.exec(name) ?? []
    if (form === undefined) continue
    const options = { form: formOf(form), norm: Number(norm.replace('p', '.')) }
    outcome.set(
      name,
      levels.map((level) => diffusionCoefficient(level, options)),
    )
  }

  const [x0, noise, output] = [fixture.input('x1'), fixture.input('x0'), fixture.input('output')]
  const xt = addFlowNoise(
    { flow: transportOf({ path_type: config.path }).flow },
    { x0, noise, times: levels.map(({ t }) => t!) },
  )
  await outcome.read('out.x_t', xt)
  const rows = async (name: string, row: (level: NoiseLevel, at: (x: Tensor) => Tensor) => Tensor) => {
    const all = levels.map((level, i) => row(level, (x) => slice(x, 0, i, 1)))
    await outcome.read(`out.${name}`, concat(all, 0))
  }
  await rows('u_t', (level, at) => add(affine(at(x0), -level.dAlpha!), affine(at(noise), -level.dSigma!)))
  await rows('drift_mean', ({ alpha, dAlpha }, at) => affine(at(xt), dAlpha! / alpha))
  const read = (prediction: 'velocity' | 'score' | 'epsilon', level: NoiseLevel, at: (x: Tensor) => Tensor) =>
    readPrediction(prediction, at(output), at(xt), level)
  for (const [name, prediction] of [
    ['velocity', 'velocity'],
    ['score', 'score'],
    ['noise', 'epsilon'],
  ] as const) {
    await rows(`drift.${name}`, (level, at) => affine(velocityOf(read(prediction, level, at), at(xt), level), -1))
    await rows(`score.${name}`, (level, at) => scoreOf(read(prediction, level, at), level))
  }
  outcome.set('out.score_from_velocity', outcome.values.get('out.score.velocity')!)
  outcome.set('out.velocity_from_score', outcome.values.get('out.drift.score')!)
  await rows('noise_from_velocity', (level, at) => read('velocity', level, at).noise)

  for (const [name, { 't=0': first, 't=1': last }] of Object.entries<Record<string, number | string>>(
    facts.at_ends_float64,
  )) {
    for (const [t, want] of [
      [0, first],
      [1, last],
    ] as const) {
      const got = scalars[name](flowLevel(1 - t, flow))
      const isNear = got === Number(want) || Math.abs(got - Number(want)) < 1e-15 * Math.max(1, Math.abs(Number(want)))
      outcome.fact(`${name} at ${t} is ${want} (got ${got})`, isNear)
    }
  }
}

function intervals({ facts }: Case, outcome: Outcome): void {
  for (const { path: path_type, prediction, train_eps: _train, sample_eps: _sample, ...wanted } of facts) {
    for (const [use, [t0, t1]] of Object.entries<[number, number]>(wanted)) {
      const [, form, size] = /^sde (\w+), last_step_size (.+)$/.exec(use) ?? []
      const { min, max } = sitInterval(
        { path_type, prediction },
        form === undefined
          ? { use: use === 'train' ? 'training' : 'ode' }
          : { use: 'sde', lastStepSize: Number(size), isOwnReversal: form === 'SBDM' },
      )
      // In SiT's time; its reverse mirrors both ends, which is the same interval but for VP.
      const [from, to] = use === 'ode_reverse' ? [max, min] : [1 - max, 1 - min]
      const holds = Math.abs(from - t0) < 1e-12 && Math.abs(to - t1) < 1e-12
      outcome.fact(`${path_type}, ${prediction}: ${use} is ${t0} to ${t1} (got ${from} to ${to})`, holds)
    }
  }
}

async function losses({ config }: Case, fixture: Fixture, outcome: Outcome): Promise<void> {
  const [x0, noise] = [fixture.input('x1'), fixture.input('x0')]
  const model = dummyFlow(fixture.ints('y'))
  for (const variant of config.variants as string[]) {
    const [prediction, weight] = variant.split('-')
    const process = transportOf({ path_type: config.path, prediction, loss_weight: weight })
    const times = timesOf(fixture, process.interval)
    const seen: Seen = {}
    const output = stopGradient(() => {
      const xt = addFlowNoise(process, { x0, noise, times })
      return model(
        xt,
        times.map((t) => 1 - t),
      )
    })
    const { aux, gradients } = valueAndGrad({ output }, (params) => {
      const { loss } = flowLosses(process, (xt, timesteps) => note(seen, xt, timesteps, params.output), {
        x0,
        noise,
        times,
      })
      return { loss: mean(loss), each: keep(loss) }
    })
    await outcome.read(`out.${variant}.loss`, aux.each)
    await outcome.read(`out.${variant}.grad_output`, gradients.output)
    outcome.set(`out.${prediction}.t`, seen.timesteps!)
    await outcome.read(`out.${prediction}.x_t`, seen.xt!)
    await outcome.read(`out.${prediction}.model_output`, output)
  }
}

async function networkLoss({ config, tensors }: Case, fixture: Fixture, outcome: Outcome): Promise<void> {
  const model = modelConfig(config.model)
  const params = fixture.params('model.')
  const process = transportOf(config.transport, { outputsPerChannel: model.learnSigma ? 2 : 1 })
  const labels = fixture.has('in.label_rand')
    ? dropLabels(fixture.ints('y'), {
        nullLabel: nullLabel(model)!,
        probability: model.classDropout,
        uniforms: fixture.values('in.label_rand'),
      })
    : fixture.ints('y')
  const [x0, noise] = [fixture.input('x1'), fixture.input('x0')]
  const seen: Seen = {}
  const { aux, gradients } = valueAndGrad(trainableParams(model, params), () => {
    const predict = (xt: Tensor, timesteps: ArrayLike<number>) =>
      note(seen, xt, timesteps, forward(model, params, { xt, timesteps, labels }))
    const { loss } = flowLosses(process, predict, { x0, noise, times: timesOf(fixture, process.interval) })
    return { loss: mean(loss), each: keep(loss) }
  })
  await outcome.read('out.loss', aux.each)
  await outcome.read('out.x_t', seen.xt!)
  outcome.set('out.t', seen.timesteps!)
  await outcome.read('out.model_output', slice(seen.output!, 1, 0, x0.shape[1]))
  for (const { name } of tensors!) {
    if (name.startsWith('out.grad.')) await outcome.read(name, gradients[name.slice('out.grad.'.length)])
  }
}

interface Seen {
  xt?: Tensor
  timesteps?: ArrayLike<number>
  output?: Tensor
}

/** Notes what a network was asked and what it answered. */
function note(seen: Seen, xt: Tensor, timesteps: ArrayLike<number>, output: Tensor): Tensor {
  seen.xt = keep(xt)
  seen.timesteps = timesteps
  seen.output = keep(output)
  return output
}

/** SiT's times are t0 + u (t1 - t0); ours are 1 - t. */
function timesOf(fixture: Fixture, { min, max }: { min: number; max: number }): number[] {
  return Array.from(fixture.values('in.u') as Float32Array, (u) => 1 - (1 - max + u * (max - min)))
}
