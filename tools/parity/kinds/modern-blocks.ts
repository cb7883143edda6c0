import { dropLabels } from '@dit/adaln'
import { denoiser, flowProcess } from '@dit/diffusion'
import { type DiTConfig, forward, nullLabel } from '@dit/model'
import { guided, guidedDoubled, guidanceInterval, rungeKutta } from '@dit/sampler'
import { concat, keep, mean, mul, type Params, reshape, slice, sum, type Tensor, valueAndGrad } from '@dit/tensor'
import { rotaryPositions, tokenGrid } from '@dit/tokenizer'
import type { Fixture } from '../fixture.js'
import type { Case, Config } from '../manifest.js'
import type { KindRunner, Outcome } from '../outcome.js'
import { modelConfig } from '../reference-names.js'
import { repaSampling } from './repa-sampling.js'
import { repaTraining } from './repa-training.js'

/** Networks of LightningDiT, SiT and JiT with their gradients, JiT's training and sampling, and REPA's samplers. */
export const modernBlocks: KindRunner = async (entry, fixture, outcome, folder) => {
  const { config } = entry
  if (config.sampler !== undefined) return repaSampling(entry, fixture, outcome, folder)
  if (config.class === 'SiT of REPA') return repaTraining(entry, fixture, outcome, folder)
  const model = blocksConfig(config)
  await network(model, fixture, outcome)
  if (config.cfg_runs !== undefined) await intervals(entry, model, fixture, outcome)
  if (config.class === 'JiT') {
    await jitTraining(entry, model, fixture, outcome)
    await jitSampling(entry, model, fixture, outcome)
  }
}

/** Our configuration for the arguments of a case. */
function blocksConfig({ class: name, model, pos_embed: positions }: Config): DiTConfig {
  if (name === 'JiT') {
    return {
      ...modelConfig({ class_dropout_prob: 0.1, learn_sigma: false, ...model }),
      norm: 'rms',
      mlp: 'swiglu',
      qkNorm: true,
      rope: true,
      contextTokens: model.in_context_len,
      contextStart: model.in_context_start,
      patchBottleneck: model.bottleneck_dim,
    }
  }
  if (name !== 'LightningDiT' && name !== 'SiT') throw new Error(`the runner does not know ${name}`)
  return {
    ...modelConfig(model),
    ...(positions === 'learned' ? { positions } : {}),
    norm: model.use_rmsnorm ? 'rms' : 'layer',
    mlp: model.use_swiglu ? 'swiglu' : 'gelu',
    qkNorm: model.use_qknorm ?? false,
    rope: model.use_rope ?? false,
    modulationShift: !(model.wo_shift ?? false),
  }
}

/** SiT hands on the first half of its output. */
function prediction(model: DiTConfig, output: Tensor): Tensor {
  return model.learnSigma ? slice(output, 1, 0, model.inChannels) : output
}

async function network(model: DiTConfig, fixture: Fixture, outcome: Outcome): Promise<void> {
  const params = fixture.params('model.')
  const xt = fixture.input('x')
  const [timesteps, labels] = [fixture.timesteps('t'), fixture.ints('y')]
  const run = (all: Params, x: Tensor, trace?: (name: string, value: Tensor) => void) =>
    prediction(model, forward(model, all, { xt: x, timesteps, labels }, { trace }))

  const traced = new Map<string, Tensor>()
  await outcome.read(
    'out.forward',
    run(params, xt, (name, value) => void traced.set(name, keep(value))),
  )
  for (const [name, value] of traced) {
    const short = name === 'blocks.0' ? 'block' : name.replace(/^blocks\.0\./, '')
    await outcome.read(`out.trace.${short}`, value)
  }
  if (model.rope === true) {
    const { cos, sin } = rotaryPositions(
      model.hiddenSize / model.numHeads,
      tokenGrid(model.inputSize, model.patchSize),
      {
        extraTokens: model.contextTokens,
      },
    )
    outcome.set('out.rope.cos', cos)
    outcome.set('out.rope.sin', sin)
  }
  const cotangent = fixture.input('cotangent')
  const { gradients } = valueAndGrad({ ...params, x: xt }, ({ x, ...all }) => ({
    loss: sum(mul(run(all, x), cotangent)),
  }))
  for (const [name, gradient] of Object.entries(gradients)) await outcome.read(`out.grad.${name}`, gradient)
}

/** LightningDiT's guided forward on [x; x]: three channels, and none at all before the start of its interval. */
async function intervals({ config }: Case, model: DiTConfig, fixture: Fixture, outcome: Outcome): Promise<void> {
  const params = fixture.params('model.')
  const [t, y] = [fixture.timesteps('t'), fixture.ints('y')]
  const doubled = Float32Array.from([...t, ...t])
  const labels = Int32Array.from([...y, ...y.map(() => nullLabel(model)!)])
  const x = fixture.input('x')
  const both = concat([x, x], 0)
  for (const { scale, cfg_interval_start: start } of config.cfg_runs as Config[]) {
    const isUnguided = start !== null && t[0] < start
    const run = guidedDoubled((xt, timesteps, of) => forward(model, params, { xt, timesteps, labels: of }), {
      labels,
      scale: isUnguided ? 1 : scale,
    })
    const suffix = start === null ? '' : `.start${String(start).replace('.', 'p')}`
    await outcome.read(`out.cfg.s${scale}${suffix}`, run(both, doubled))
  }
}

/** JiT's process: a clean picture is predicted, and its error weighed as that of the velocity. */
function jitProcess({ denoiser: options }: Config) {
  return flowProcess({
    networkTime: 'towardsData',
    prediction: 'x0',
    weighting: 'velocity',
    sigmaFloor: options.t_eps,
  })
}

async function jitTraining({ config }: Case, model: DiTConfig, fixture: Fixture, outcome: Outcome): Promise<void> {
  const { P_mean, P_std, label_drop_prob } = config.denoiser
  const params = fixture.params('model.')
  const labels = dropLabels(fixture.ints('y'), {
    nullLabel: nullLabel(model)!,
    probability: label_drop_prob,
    uniforms: fixture.values('in.label_rand'),
  })
  const times = Array.from(fixture.values('in.t_normal'), (draw) => 1 / (1 + Math.exp(draw * P_std + P_mean)))
  const seen: { z?: Tensor; t?: Float32Array | Int32Array; xPred?: Tensor } = {}
  const predict = (xt: Tensor, timesteps: Float32Array | Int32Array) => {
    const xPred = forward(model, params, { xt, timesteps, labels })
    Object.assign(seen, { z: keep(handle(xt)), t: timesteps, xPred: keep(handle(xPred)) })
    return xPred
  }
  const { loss } = jitProcess(config).losses(predict, {
    x0: fixture.input('x'),
    noise: fixture.input('noise'),
    timesteps: Float32Array.from(times),
  })
  await outcome.read('out.loss', mean(loss))
  await outcome.read('out.train.z', seen.z!)
  outcome.set('out.train.t', seen.t!)
  outcome.set('out.train.y', labels)
  await outcome.read('out.train.x_pred', seen.xPred!)
}

async function jitSampling({ config }: Case, model: DiTConfig, fixture: Fixture, outcome: Outcome): Promise<void> {
  const {
    sampling_method: method,
    num_sampling_steps: numSteps,
    cfg,
    interval_min: low,
    interval_max: high,
  } = config.denoiser
  const params = fixture.params('model.')
  const labels = fixture.ints('y')
  const process = jitProcess(config)
  const asked: number[] = []
  const run = (xt: Tensor, timesteps: ArrayLike<number>, of: Int32Array) =>
    forward(model, params, { xt, timesteps, labels: of })
  const note =
    (predict: (xt: Tensor, t: Float32Array | Int32Array) => Tensor) => (xt: Tensor, t: Float32Array | Int32Array) => {
      // JiT calls the network twice for what we ask once, also where it does not guide.
      asked.push(t[0], t[0])
      return predict(xt, t)
    }
  const options = { prediction: 'x0', outputsPerChannel: 1 } as const
  const denoise = guidanceInterval(
    denoiser(note(guided(run, { labels, nullLabel: nullLabel(model)!, scale: cfg, channels: 'all' })), options),
    denoiser(
      note((xt, t) => run(xt, t, labels)),
      options,
    ),
    ({ t }) => {
      const theirs = 1 - t!
      return theirs < high && (low === 0 || theirs > low)
    },
    { decide: 'evaluation' },
  )
  const path = process.path({ numSteps, from: 1, to: 0 })
  const trajectory: number[] = []
  let last: Tensor | null = null
  const steps = rungeKutta(path, denoise, fixture.input('z_init'), {
    method: method === 'heun' ? 'heun2' : 'euler',
    lastMethod: 'euler',
  })
  for await (const { xt } of steps) {
    trajectory.push(...(await xt.data()))
    last = xt
  }
  outcome.set('out.trajectory', trajectory)
  await outcome.read('out.sample', last!)
  outcome.set('out.eval_t', asked)
}

/** Another handle of a tensor, which outlives the scope of the first. */
function handle(x: Tensor): Tensor {
  return reshape(x, x.shape)
}
