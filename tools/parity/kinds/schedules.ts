import {
  diffusionTables,
  type DiffusionTables,
  directBetas,
  type DirectSchedule,
  emptyLossHistory,
  lossHistoryWeights,
  namedBetas,
  type NamedSchedule,
  respace,
  sampleTimesteps,
  spaceTimesteps,
  uniformWeights,
  updateLossHistory,
} from '@dit/schedules'
import { type KindRunner, throws } from '../outcome.js'

/** The reference's name of each table. */
const tableNames: Readonly<Record<string, Exclude<keyof DiffusionTables, 'numTimesteps'>>> = {
  betas: 'betas',
  alphas_cumprod: 'alphaBar',
  alphas_cumprod_prev: 'alphaBarPrev',
  alphas_cumprod_next: 'alphaBarNext',
  sqrt_alphas_cumprod: 'sqrtAlphaBar',
  sqrt_one_minus_alphas_cumprod: 'sqrtOneMinusAlphaBar',
  log_one_minus_alphas_cumprod: 'logOneMinusAlphaBar',
  sqrt_recip_alphas_cumprod: 'sqrtRecipAlphaBar',
  sqrt_recipm1_alphas_cumprod: 'sqrtRecipM1AlphaBar',
  posterior_variance: 'posteriorVariance',
  posterior_log_variance_clipped: 'posteriorLogVarianceClipped',
  posterior_mean_coef1: 'posteriorMeanCoef1',
  posterior_mean_coef2: 'posteriorMeanCoef2',
}

/** Schedules and the tables derived from them. */
export const diffusionConstants: KindRunner = async ({ config, facts }, _fixture, outcome) => {
  if (facts !== undefined) {
    for (const { schedule, num_timesteps: steps, result } of facts) {
      const refused = throws(() => namedBetas(schedule as NamedSchedule, steps))
      outcome.fact(`${schedule} with ${steps} steps: ${result}`, refused === (result !== 'ok'))
    }
    return
  }
  const { schedule, num_timesteps: numTimesteps, beta_start: betaStart, beta_end: betaEnd, api } = config
  const betas =
    api === 'named'
      ? namedBetas(schedule as NamedSchedule, numTimesteps)
      : directBetas(schedule as DirectSchedule, { numTimesteps, betaStart, betaEnd })
  const tables = diffusionTables(betas)
  for (const [name, key] of Object.entries(tableNames)) outcome.set(`out.${name}`, tables[key])
}

/** Which timesteps are kept, and the tables rebuilt from them. */
export const respacing: KindRunner = async ({ config, facts }, _fixture, outcome) => {
  if (facts !== undefined) {
    for (const { num_timesteps: numTimesteps, spec, steps } of facts) {
      const claim = `${spec} of ${numTimesteps}`
      if (steps === undefined)
        outcome.fact(
          `${claim} is refused`,
          throws(() => spaceTimesteps(numTimesteps, spec)),
        )
      else outcome.fact(claim, JSON.stringify([...spaceTimesteps(numTimesteps, spec)]) === JSON.stringify(steps))
    }
    return
  }
  const kept = spaceTimesteps(config.diffusion_steps, config.respacing)
  const { tables, timestepMap } = respace(namedBetas(config.schedule, config.diffusion_steps), kept)
  outcome.set('out.use_timesteps', kept)
  outcome.set('out.timestep_map', timestepMap)
  outcome.set('out.betas', tables.betas)
  outcome.set('out.alphas_cumprod', tables.alphaBar)
  outcome.set('out.posterior_log_variance_clipped', tables.posteriorLogVarianceClipped)
}

/** Uniform and loss-aware timestep samplers. */
export const timestepSamplers: KindRunner = async ({ config }, fixture, outcome) => {
  let weights = uniformWeights(config.num_timesteps)
  if (fixture.has('in.marks')) {
    let history = emptyLossHistory(config.num_timesteps, {
      historyPerTerm: config.history_per_term,
      uniformProb: config.uniform_prob,
    })
    const [timesteps, losses] = [fixture.ints('t'), fixture.values('in.loss')]
    const rows: number[] = []
    let done = 0
    for (const mark of fixture.ints('marks')) {
      history = updateLossHistory(history, timesteps.subarray(done, mark), losses.subarray(done, mark))
      done = mark
      weights = lossHistoryWeights(history)
      rows.push(...weights)
    }
    outcome.set('out.weights', rows)
  }
  const sampled = sampleTimesteps(weights, fixture.values('in.u'))
  outcome.set('out.indices', sampled.timesteps)
  outcome.set('out.importance', sampled.importanceWeights)
}
