import { type Denoise, denoiseAtLevels } from '@dit/diffusion'
import { edmPath, type NoiseLevel } from '@dit/schedules'
import { affine, type Tensor } from '@dit/tensor'
import { float } from '../../diffusion/test/tensors.js'
import { expect, test } from 'vitest'
import { guidanceInterval, type GuidanceInterval, guidanceTimesteps, heun, lastStep } from '../src/index.js'

const x = float([1])
const path = edmPath({ numSteps: 3, sigmaMin: 1, sigmaMax: 3, rho: 1 }) // 3, 2, 1, 0

/** Which of two denoisers is asked, and at which sigma: `g` for the guided one. */
function watched() {
  const seen: string[] = []
  const denoiser = (name: string): Denoise => {
    const denoise = denoiseAtLevels((xt, sigmas) => {
      seen.push(name + sigmas[0])
      return affine(xt, 0)
    })
    return denoise
  }
  return { seen, guided: denoiser('g'), plain: denoiser('p') }
}

async function run(within: GuidanceInterval, options = {}): Promise<string> {
  const { seen, guided, plain } = watched()
  await lastStep(heun(path, guidanceInterval(guided, plain, within, options), x))
  return seen.join(' ')
}

test('guides the steps that begin within the range, ends included, in all their evaluations', async () => {
  expect(await run({ sigmas: [2, 3] })).toBe('g3 g2 g2 g1 p1')
  expect(await run({ sigmas: [1.5, 2] })).toBe('p3 p2 g2 g1 p1')
  expect(await run({ timesteps: [1, 2] })).toBe('p3 p2 g2 g1 g1')
  expect(await run(({ sigma }) => sigma < 3)).toBe('p3 p2 g2 g1 g1')
})

test('decides for each evaluation where asked to', async () => {
  expect(await run({ sigmas: [2, 2] }, { decide: 'evaluation' })).toBe('p3 g2 g2 p1 p1')
})

test('counts steps from the noisy end', async () => {
  expect(await run({ steps: [0, 0], path })).toBe('g3 g2 p2 p1 p1')
  expect(await run({ steps: [1, 2], path })).toBe('p3 p2 g2 g1 g1')
})

test('knows a step by its level where the solver does not name it', () => {
  const { seen, guided, plain } = watched()
  const denoise = guidanceInterval(guided, plain, { steps: [1, 1], path })
  for (const { from } of path.steps) denoise(x, from)
  expect(seen).toEqual(['p3', 'g2', 'p1'])
  const elsewhere: NoiseLevel = { alpha: 1, sigma: 2, timestep: 2 }
  expect(() => denoise(x, elsewhere)).toThrow('guidanceInterval: this step is not of the path whose steps are numbered')
})

test('guides by time on paths that have it', () => {
  const { seen, guided, plain } = watched()
  const denoise = guidanceInterval(guided, plain, { times: [0.25, 0.5] })
  for (const t of [0.2, 0.25, 0.5, 0.6]) denoise(x, { alpha: 1, sigma: t, timestep: t, t })
  expect(seen).toEqual(['p0.2', 'g0.25', 'g0.5', 'p0.6'])
  expect(() => denoise(x, path.steps[0].from)).toThrow('the levels of this path have no times; use sigmas')
})

test('around a predict function it goes by what the network is told', () => {
  const seen: string[] = []
  const model = (name: string) => (xt: Tensor, timesteps: Int32Array) => {
    seen.push(name + timesteps[0])
    return xt
  }
  const predict = guidanceTimesteps(model('g'), model('p'), [100, 500])
  for (const timestep of [99, 100, 500, 501]) predict(x, Int32Array.of(timestep))
  expect(seen).toEqual(['p99', 'g100', 'g500', 'p501'])
  expect(() => predict(x, Int32Array.of(99, 100))).toThrow(
    'guidanceTimesteps: the samples of a batch must have the same timestep',
  )
})

test('names a range that is none', () => {
  const { guided, plain } = watched()
  const make =
    (within: GuidanceInterval, options = {}) =>
    () =>
      guidanceInterval(guided, plain, within, options)
  expect(make({ sigmas: [2, 1] })).toThrow(
    'guidanceInterval: sigmas must be [first, last] with first <= last (got [2, 1])',
  )
  expect(make({ steps: [Number.NaN, 1], path })).toThrow('guidanceInterval: steps must be [first, last]')
  expect(make({ steps: [0.5, 1], path })).toThrow('guidanceInterval: steps must be integers (got [0.5, 1])')
  expect(make({} as GuidanceInterval)).toThrow(
    new TypeError(
      'guidanceInterval: the interval must be sigmas, timesteps, times, steps of a path, or a function (got {})',
    ),
  )
  expect(make(null as unknown as GuidanceInterval)).toThrow('or a function (got null)')
  expect(make({ steps: [0, 1] } as unknown as GuidanceInterval)).toThrow(
    new TypeError('guidanceInterval: steps are those of a path, which must be given as well'),
  )
  expect(make({ sigmas: [1, 2] }, { decide: 'never' })).toThrow('decide must be step or evaluation (got never)')
})
