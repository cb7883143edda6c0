import { adamw, muon, type MuonStep, orthogonalise, reshape, slice, type Tensor, zeros } from '@dit/tensor'
import type { Config } from '../manifest.js'
import type { KindRunner } from '../outcome.js'

/** Steps of Muon on recorded gradients; parameters named `adam.*` take Adam. */
export const muonSteps: KindRunner = async ({ config, tensors }, fixture, outcome) => {
  const isTorch = (config.implementation as string).startsWith('torch')
  const own: Config = isTorch ? config.options : config.options.muon
  const settings: MuonStep = {
    learningRate: own.lr,
    weightDecay: own.weight_decay,
    beta: own.momentum,
    nesterov: own.nesterov,
    scale: own.adjust_lr_fn === 'match_rms_adamw' ? 'matchRms' : 'original',
    numSteps: own.ns_steps ?? config.ns_steps,
    coefficients: own.ns_coefficients ?? config.newton_schulz,
    epsilon: own.eps,
    epsilonIs: isTorch ? 'least' : 'added',
  }
  const names = fixture.names('in.param.')
  const { backend } = fixture
  const wanted = new Set(tensors!.map(({ name }) => name))
  for (const name of names) {
    const parameter = fixture.input(`param.${name}`)
    const gradients = fixture.input(`grad.${name}`)
    const row = (i: number): Tensor => reshape(slice(gradients, 0, i, 1), gradients.shape.slice(1))
    const [momentum, v] = [0, 1].map(() => zeros(parameter.shape, { backend }))
    if (wanted.has(`out.orthogonal.${name}`)) {
      await outcome.read(`out.orthogonal.${name}`, orthogonalise(row(0), settings))
    }
    for (let step = 1; step <= gradients.shape[0]; step++) {
      const gradient = row(step - 1)
      if (name.startsWith('adam.')) {
        const { lr, betas, eps, weight_decay: weightDecay } = config.options.adam
        const rule = { learningRate: lr, beta1: betas[0], beta2: betas[1], epsilon: eps, weightDecay, step }
        adamw({ parameter, gradient, m: momentum, v, ema: null }, { ...rule, gradientScale: 1, emaDecay: 0 })
      } else muon({ parameter, gradient, momentum }, settings)
      await outcome.read(`out.param.step${step}.${name}`, parameter)
      // Ours iterates in the engine's type; the tolerance of these is that of bfloat16.
      await outcome.read(`out.bf16.param.step${step}.${name}`, parameter)
    }
    await outcome.read(`out.state.momentum_buffer.${name}`, momentum)
    await outcome.read(`out.state.exp_avg.${name}`, momentum)
    await outcome.read(`out.state.exp_avg_sq.${name}`, v)
  }
}
