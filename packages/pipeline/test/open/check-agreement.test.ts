import { expect, test } from 'vitest'
import { checkAgreement } from '../../src/open/check-agreement.js'
import { readScheduler } from '../../src/open/scheduler.js'

const PATH = 'scheduler/scheduler_config.json'
const own = { kind: 'gaussian', schedule: 'linear', numTimesteps: 1000, meanType: 'epsilon' }
const ddim = { _class_name: 'DDIMScheduler', num_train_timesteps: 1000, beta_start: 0.0001, beta_end: 0.02 }

function check(process: object, scheduler: object): void {
  const read = readScheduler(JSON.stringify(scheduler), PATH)!
  checkAgreement({ process: process as typeof own }, read)
}

test('a scheduler of the same betas agrees, however they are written', () => {
  expect(() => check(own, ddim)).not.toThrow()
  expect(() => check(own, { ...ddim, beta_schedule: 'linear' })).not.toThrow()
  const betas = Array.from({ length: 1000 }, (_, i) => Math.fround(0.0001 + (i * 0.0199) / 999))
  expect(() => check({ kind: 'gaussian', betas, meanType: 'epsilon' }, ddim)).not.toThrow()
})

test('a scheduler of other betas than the weights were trained on is refused with both', () => {
  const trained =
    'but the weights say that they were trained on 1000 betas from 0.0001 by 0.01006 in the middle to 0.02'
  expect(() => check(own, { ...ddim, beta_start: 0.00085, beta_end: 0.012 })).toThrow(
    `${PATH} has 1000 betas from 0.00085 by 0.006431 in the middle to 0.012, ${trained}`,
  )
  expect(() => check(own, { ...ddim, beta_schedule: 'scaled_linear' })).toThrow(trained)
  expect(() => check(own, { ...ddim, num_train_timesteps: 500 })).toThrow('has 500 betas from 0.0001')
  expect(() => check({ ...own, schedule: 'squaredcos_cap_v2' }, ddim)).toThrow(
    /has 1000 betas from 0\.0001 .*, but the weights say that they were trained on 1000 betas from 0\.00004128/,
  )
})
