import { type Denoise, denoiseAtLevels } from '@dit/diffusion'
import { autoguided, guidanceInterval, heun, lastStep } from '@dit/sampler'
import { edmPath, type Path } from '@dit/schedules'
import { affine, reshape, slice, type Tensor } from '@dit/tensor'
import type { Config } from '../manifest.js'
import type { KindRunner } from '../outcome.js'
import { sigmaFormula } from './edm-training.js'

/** EDM's sampler, plain, guided by a weaker model, or guided in an interval of steps. */
export const edmSampling: KindRunner = async ({ config, facts }, fixture, outcome) => {
  const path = edmPath({
    numSteps: config.num_steps,
    sigmaMin: config.sigma_min,
    sigmaMax: config.sigma_max,
    rho: config.rho,
  })
  const seen: number[] = []
  const model = (formula: string): Denoise =>
    denoiseAtLevels((x, sigmas) => {
      seen.push(sigmas[0])
      return sigmaFormula(formula, x, sigmas)
    })
  const churn = {
    churn: config.S_churn ?? undefined,
    churnMin: config.S_min ?? undefined,
    // JSON has no Infinity: it may be null or text.
    churnMax: config.S_max === null || config.S_max === 'inf' ? undefined : config.S_max,
    churnNoise: config.S_noise ?? undefined,
  }
  // In the code of EDM2 noise is drawn where there is churn only.
  const draws = config.sampler === 'autoguidance' ? drawsWhere(path, churn) : path.steps.map((_, i) => i)
  const recorded = fixture.input('noise')
  const noise = (index: number): Tensor => {
    const shape = recorded.shape.slice(1)
    return reshape(slice(recorded, 0, Math.min(draws[index], recorded.shape[0] - 1), 1), shape)
  }
  const xT = affine(fixture.input('x_init'), path.startScale)
  await outcome.read('out.sample', await lastStep(heun(path, guidedBy(config, path, model), xT, { ...churn, noise })))
  outcome.set('out.eval_sigma', seen)
  if (facts?.model_calls !== undefined) outcome.fact('number of model calls', facts.model_calls === seen.length)
}

function guidedBy(config: Config, path: Path, model: (formula: string) => Denoise): Denoise {
  const plain = model(config.denoiser)
  if (config.guiding === undefined) return plain
  const guided = autoguided(plain, model(config.guiding), { scale: config.guidance ?? 1 })
  return config.interval === undefined ? guided : guidanceInterval(guided, plain, { steps: config.interval, path })
}

/** The number of the draw that each step uses, where only some steps draw. */
function drawsWhere(
  path: Path,
  { churn = 0, churnMin = 0, churnMax = Infinity }: Record<string, number | undefined>,
): number[] {
  let used = 0
  return path.steps.map(({ from: { sigma } }) => (churn > 0 && sigma >= churnMin && sigma <= churnMax ? used++ : 0))
}
