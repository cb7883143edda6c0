import { preconditioned, sigmaLosses } from '@dit/diffusion'
import {
  edmLossWeight,
  edmPreconditioning,
  edmTrainingSigmas,
  iddpmPreconditioning,
  type Preconditioning,
  vePreconditioning,
  veTrainingSigmas,
  vpPreconditioning,
  vpTrainingSigmas,
} from '@dit/schedules'
import { reshape, tensor, type Tensor } from '@dit/tensor'
import type { KindRunner } from '../outcome.js'
import { evaluate } from '../formula.js'

/** Factors and D(x) of `out.<which>.*`, for a network that returns `in.F`. */
export const edmPreconditioningCase: KindRunner = async ({ config, tensors }, fixture, outcome) => {
  const preconditionings: Record<string, Preconditioning> = {
    edm: edmPreconditioning(config.sigma_data),
    vp: vpPreconditioning(),
    ve: vePreconditioning(),
    iddpm: iddpmPreconditioning().preconditioning,
  }
  const sigmas = fixture.values('in.sigma')
  const factors = { c_skip: 'skip', c_out: 'out', c_in: 'in', c_noise: 'noise' } as const
  for (const { name, role } of tensors!) {
    if (role !== 'expected') continue
    const [, which, what] = name.split('.')
    const preconditioning = preconditionings[which]
    if (what === 'D') {
      await outcome.read(name, preconditioned(() => fixture.input('F'), preconditioning)(fixture.input('x'), sigmas))
    } else if (what === 'loss_weight') {
      outcome.set(
        name,
        Array.from(sigmas, (sigma) => edmLossWeight(sigma, config.sigma_data)),
      )
    } else {
      outcome.set(
        name,
        Array.from(sigmas, (sigma) => preconditioning(sigma)[factors[what as keyof typeof factors]]),
      )
    }
  }
}

/** Drawn noise levels and weighted squared errors of the three losses. */
export const edmLosses: KindRunner = async ({ config }, fixture, outcome) => {
  const { P_mean: mean, P_std: std, sigma_data: sigmaData } = config.EDMLoss
  const { beta_d: betaD, beta_min: betaMin, epsilon_t: tMin } = config.VPLoss
  const { sigma_min: sigmaMin, sigma_max: sigmaMax } = config.VELoss
  const [normals, uniforms] = [fixture.values('in.normal'), fixture.values('in.uniform')]
  const inverse = (sigma: number) => 1 / sigma ** 2
  const losses = {
    edm: [edmTrainingSigmas(normals, { mean, std }), (sigma: number) => edmLossWeight(sigma, sigmaData)],
    vp: [vpTrainingSigmas(uniforms, { betaD, betaMin, tMin }), inverse],
    ve: [veTrainingSigmas(uniforms, { sigmaMin, sigmaMax }), inverse],
  } as const
  const denoise = (x: Tensor, sigmas: ArrayLike<number>) => sigmaFormula(config.denoiser, x, sigmas)
  for (const [name, [sigmas, weight]] of Object.entries(losses)) {
    outcome.set(`out.${name}.sigma`, sigmas)
    const batch = { x0: fixture.input('x'), noise: fixture.input('noise'), sigmas }
    await outcome.read(`out.${name}.loss`, sigmaLosses(denoise, batch, weight))
  }
}

/** Evaluates `D(x, sigma) = ...`, elementwise, with one sigma per sample. */
export function sigmaFormula(text: string, x: Tensor, sigmas: ArrayLike<number>): Tensor {
  const [formula] = text.split('=')[1].split(', elementwise')
  const sigma = tensor(Float64Array.from(sigmas), [sigmas.length], { backend: x.backend, dtype: x.dtype })
  const names = { x, sigma: reshape(sigma, [sigmas.length, ...x.shape.slice(1).map(() => 1)]) }
  return evaluate(formula.trim(), names, x.backend)
}
