import { expect, test } from 'vitest'
import { type DiffusionTables, diffusionTables, directBetas, namedBetas } from '../src/index.js'
import { fixture } from './fixture.js'

const REFERENCE_NAMES: Record<string, Exclude<keyof DiffusionTables, 'numTimesteps'>> = {
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

test.each(['linear-100', 'direct-jsd-100'])('every table matches the reference: %s', (name) => {
  const { config, expected, excess } = fixture(name)
  const betas =
    config.api === 'named'
      ? namedBetas(config.schedule, config.num_timesteps)
      : directBetas(config.schedule, {
          numTimesteps: config.num_timesteps,
          betaStart: config.beta_start,
          betaEnd: config.beta_end,
        })
  const tables = diffusionTables(betas)
  expect(expected.toSorted()).toEqual(Object.keys(REFERENCE_NAMES).toSorted())
  for (const table of expected) expect(excess(table, tables[REFERENCE_NAMES[table]])).toBeLessThanOrEqual(1)
})

test('gives the values worked by hand for two steps', () => {
  const tables = diffusionTables([0.36, 0.75])
  expect(tables.numTimesteps).toBe(2)
  close(tables.alphaBar, [0.64, 0.16])
  close(tables.alphaBarPrev, [1, 0.64])
  close(tables.alphaBarNext, [0.16, 0])
  close(tables.sqrtAlphaBar, [0.8, 0.4])
  close(tables.sqrtOneMinusAlphaBar, [0.6, Math.sqrt(0.84)])
  close(tables.logOneMinusAlphaBar, [Math.log(0.36), Math.log(0.84)])
  close(tables.sqrtRecipAlphaBar, [1.25, 2.5])
  close(tables.sqrtRecipM1AlphaBar, [0.75, Math.sqrt(5.25)])
  const posterior = (0.75 * 0.36) / 0.84
  close(tables.posteriorVariance, [0, posterior])
  close(tables.posteriorLogVarianceClipped, [Math.log(posterior), Math.log(posterior)])
  close(tables.posteriorMeanCoef1, [1, (0.75 * 0.8) / 0.84])
  close(tables.posteriorMeanCoef2, [0, (0.36 * 0.5) / 0.84])
  close(tables.logBetas, [Math.log(0.36), Math.log(0.75)])
  close(tables.fixedLargeVariance, [posterior, 0.75])
  close(tables.fixedLargeLogVariance, [Math.log(posterior), Math.log(0.75)])
})

test('the posterior mean of a noiseless xt = sqrtAlphaBar x0 is sqrtAlphaBarPrev x0', () => {
  const tables = diffusionTables(namedBetas('squaredcos_cap_v2', 50))
  for (let i = 0; i < 50; i++) {
    const mean = tables.posteriorMeanCoef1[i] + tables.posteriorMeanCoef2[i] * tables.sqrtAlphaBar[i]
    expect(mean).toBeCloseTo(Math.sqrt(tables.alphaBarPrev[i]), 12)
  }
})

test('a single step is possible, with beta in place of the missing entry 1', () => {
  const tables = diffusionTables([0.25])
  expect([...tables.alphaBarPrev]).toEqual([1])
  expect([...tables.alphaBarNext]).toEqual([0])
  expect([...tables.posteriorVariance]).toEqual([0])
  expect([...tables.posteriorLogVarianceClipped]).toEqual([Math.log(0.25)])
  expect([...tables.fixedLargeVariance]).toEqual([0.25])
})

test('keeps a copy of the betas', () => {
  const betas = Float64Array.of(0.1, 0.2)
  const tables = diffusionTables(betas)
  betas[0] = 0.9
  expect([...tables.betas]).toEqual([0.1, 0.2])
})

test('says what is wrong', () => {
  expect(() => diffusionTables([])).toThrow('diffusionTables: betas must hold at least one step (got none)')
  expect(() => diffusionTables([0.1, 1.1])).toThrow('diffusionTables: betas must lie in (0, 1] (betas[1] of 2 is 1.1)')
  expect(() => diffusionTables([0])).toThrow(RangeError)
  expect(() => diffusionTables([Number.NaN])).toThrow(RangeError)
})

function close(table: Float64Array, values: number[]): void {
  expect(table.length).toBe(values.length)
  values.forEach((value, i) => expect(table[i]).toBeCloseTo(value, 14))
}
