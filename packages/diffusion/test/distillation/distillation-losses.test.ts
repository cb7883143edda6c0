import type { NoiseLevel } from '@dit/schedules'
import { affine, concat, mean, mul, square, tensor, type Tensor, valueAndGrad } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import {
  denoiser,
  distillationLosses,
  distilledPath,
  flowProcess,
  gaussianProcess,
  type PredictAt,
  type Prediction,
  readPrediction,
  x0Factors,
  x0OfStep,
} from '../../src/index.js'
import { backend, buffersLeft, draws, expectValues, float, numbers } from '../tensors.js'

/** Its velocity has a path from t = 1 to t = 0. */
const flow = flowProcess()
/** What the networks of these tests predict along that path. */
const process = { prediction: 'x0', outputsPerChannel: 1 } as const
const path = distilledPath(flow, { startSteps: 8, numSteps: 4 })
const shape = [2, 1, 1, 3]
const [x0, noise] = [draws(shape, 'x0'), draws(shape, 'noise')]
const steps = Int32Array.of(1, 0)

/** Values of each sample times a number of each sample. */
const rows = async (x: Tensor, factors: readonly number[]) =>
  (await numbers(x)).map((value, i) => value * factors[Math.floor(i / 3)])

const constant =
  (value: number): PredictAt =>
  (xt) =>
    affine(xt, 0, value)

/** E(x0 | xt) of data of deviation s around 0, by which xt is multiplied. */
const shrink = ({ alpha, sigma }: Pick<NoiseLevel, 'alpha' | 'sigma'>, s: number) =>
  (alpha * s * s) / (alpha * alpha * s * s + sigma * sigma)

/** The best network for such data: on this path alpha is 1 - t and sigma is t. */
const gaussianTeacher =
  (s: number): PredictAt =>
  (xt, timesteps) => {
    const factors = Float64Array.from(timesteps, (t) => shrink({ alpha: 1 - t, sigma: t }, s))
    return mul(xt, tensor(factors, [timesteps.length, 1, 1, 1], { backend }))
  }

/** By which two DDIM steps of that network multiply z, worked out on the host. */
function twoSteps(index: number, s: number): number {
  return [path.steps[2 * index], path.steps[2 * index + 1]].reduce((factor, { from, to }) => {
    const x0 = shrink(from, s)
    return factor * (to.alpha * x0 + (to.sigma * (1 - from.alpha * x0)) / from.sigma)
  }, 1)
}

test('the target is the only point, where the data is one point', async () => {
  const found = distillationLosses(
    process,
    { student: constant(0.5), teacher: constant(0.3) },
    { x0, noise, steps },
    path,
  )
  await expectValues(found.mse, [0.04, 0.04])
  // Of steps 1 and 0 of two; the path has 4 steps from t = 1: alpha / sigma is 1 at t = 0.5.
  await expectValues(found.loss, [0.04, 0.04])
})

test('the weight is the signal-to-noise ratio where that is above 1', async () => {
  const long = distilledPath(flow, { startSteps: 8, numSteps: 8 })
  const batch = { x0, noise, steps: Int32Array.of(3, 1) }
  const found = distillationLosses(process, { student: constant(0.5), teacher: constant(0.3) }, batch, long)
  // t is 1/4 and 3/4: (3/4 / 1/4)^2 = 9.
  await expectValues(found.loss, [0.36, 0.04])
})

test('the target is the closed form, where the data is Gaussian', async () => {
  const s = 0.6
  const from = Array.from(steps, (step) => path.steps[2 * step].from)
  const to = Array.from(steps, (step) => path.steps[2 * step + 1].to)
  const values = (await numbers(x0)).map((value, i) => value * from[i < 3 ? 0 : 1].alpha)
  const noises = await rows(
    noise,
    from.map(({ sigma }) => sigma),
  )
  const noised = values.map((value, i) => value + noises[i])
  const factors = from.map(({ alpha, sigma }, i) => {
    const ratio = to[i].sigma / sigma
    return (twoSteps(steps[i], s) - ratio) / (to[i].alpha - ratio * alpha)
  })
  const targets = noised.map((value, i) => value * factors[i < 3 ? 0 : 1])
  const found = distillationLosses(
    process,
    { student: constant(0), teacher: gaussianTeacher(s) },
    { x0, noise, steps },
    path,
  )
  const means = [0, 1].map((row) => targets.slice(3 * row, 3 * row + 3).reduce((sum, x) => sum + (x * x) / 3, 0))
  // Timesteps are told in float32.
  await expectValues(found.mse, means, 1e-6)
})

test('one DDIM step with x0OfStep lands on the point that it was made of', async () => {
  const from = [path.steps[0].from, path.steps[1].from]
  const to = [path.steps[1].to, path.steps[3].to]
  const found = await numbers(x0OfStep(x0, noise, from, to))
  const z = await numbers(x0)
  const landed = found.map((value, i) => {
    const [a, b] = [from[i < 3 ? 0 : 1], to[i < 3 ? 0 : 1]]
    return b.alpha * value + (b.sigma / a.sigma) * (z[i] - a.alpha * value)
  })
  await expectValues(noise, landed)
})

describe('x0Factors are the numbers of readPrediction', () => {
  const level: NoiseLevel = { alpha: 0.3, sigma: 0.7, timestep: 0.7, dAlpha: -1, dSigma: 1, velocityScale: -1 }
  for (const prediction of ['epsilon', 'previousX', 'x0', 'v', 'velocity', 'score'] as const) {
    test(`for ${prediction}`, async () => {
      const { fromXt, fromOutput } = x0Factors(prediction, level)
      const [xt, output] = [float([2, -1]), float([0.5, 3])]
      await expectValues(readPrediction(prediction, output, xt, level).x0, [
        2 * fromXt + 0.5 * fromOutput,
        -fromXt + 3 * fromOutput,
      ])
    })
  }
  test('and of vp at the data, where dSigma is infinite', () => {
    const level = { alpha: 1, sigma: 0, timestep: 0, dAlpha: 0, dSigma: Infinity }
    expect(x0Factors('velocity', level)).toEqual({ fromXt: 1, fromOutput: 0 })
  })
})

test('a network of two outputs per channel is read as denoiser reads it', async () => {
  const gaussian = gaussianProcess()
  const way = distilledPath(gaussian, { startSteps: 2, numSteps: 2 })
  const predict: PredictAt = (xt) => concat([affine(square(xt), 0.3, 0.1), xt], 1)
  const batch = { x0: draws([1, 1, 1, 3], 'x0'), noise: draws([1, 1, 1, 3], 'noise'), steps: Int32Array.of(0) }
  const { mse } = distillationLosses(gaussian, { student: predict, teacher: predict }, batch, way)
  const [first, second] = way.steps
  const [clean, dirty] = [await numbers(batch.x0), await numbers(batch.noise)]
  const z = float(clean.map((value, i) => first.from.alpha * value + first.from.sigma * dirty[i]))
  const read = denoiser(predict, gaussian)
  const one = read(z, first.from)
  const [x1, n1] = [await numbers(one.x0), await numbers(one.noise)]
  const z1 = float(x1.map((value, i) => first.to.alpha * value + first.to.sigma * n1[i]))
  // The second step ends without noise: z'' and so the target is its x0.
  const target = await numbers(read(z1, second.from).x0)
  const expected = target.reduce((sum, value, i) => sum + (value - x1[i]) ** 2 / 3, 0)
  await expectValues(mse, [expected], 1e-9 * expected)
})

test('the gradient is that of the student, and the teacher has none', async () => {
  const s = 0.6
  const teacher = gaussianTeacher(s)
  const loss = (student: Tensor, teacherWeight: Tensor) =>
    mean(
      distillationLosses(
        process,
        { student: (xt) => mul(xt, student), teacher: (xt, t) => mul(teacher(xt, t), teacherWeight) },
        { x0, noise, steps },
        path,
      ).loss,
    )
  const params = { student: tensor([0.4], [1], { backend }), teacher: tensor([1], [1], { backend }) }
  const { gradients } = valueAndGrad(params, (given) => ({ loss: loss(given.student, given.teacher) }))
  const at = async (value: number) => (await numbers(loss(tensor([value], [1], { backend }), params.teacher)))[0]
  const h = 1e-4
  // The loss is quadratic in the student's weight: central differences are exact but for rounding.
  await expectValues(gradients.student, [((await at(0.4 + h)) - (await at(0.4 - h))) / (2 * h)], 1e-8)
  await expectValues(gradients.teacher, [0])
})

test('leaves only its results', async () => {
  const before = await buffersLeft(() => {
    const { loss, mse } = distillationLosses(
      process,
      { student: constant(0), teacher: constant(1) },
      { x0, noise, steps },
      path,
    )
    loss.dispose()
    mse.dispose()
  })
  expect(before).toBe(0)
})

describe('distilledPath', () => {
  test('takes every second level, then every second of these, and keeps both ends', () => {
    const times = (numSteps: number) =>
      distilledPath(flow, { startSteps: 8, numSteps }).steps.map(({ from, to }) => [from.t, to.t])
    expect(times(2)).toEqual([
      [1, 0.5],
      [0.5, 0],
    ])
    expect(times(1)).toEqual([[1, 0]])
    expect(times(8)).toHaveLength(8)
  })

  test('levels of a student are levels of its teacher, also where timesteps are rounded', () => {
    const [few, many] = [2, 4].map((numSteps) => distilledPath(gaussianProcess(), { startSteps: 32, numSteps }).steps)
    expect(few.map(({ from }) => from)).toEqual([many[0].from, many[2].from])
  })

  test('refuses numbers that halving does not lead to', () => {
    expect(() => distilledPath(flow, { startSteps: 12, numSteps: 4 })).toThrow(
      'distilledPath: numSteps must be a positive integer, and startSteps that times a power of two (got 4 and 12)',
    )
    expect(() => distilledPath(flow, { startSteps: 4, numSteps: 8 })).toThrow('times a power of two')
    expect(() => distilledPath(flow, { startSteps: 4, numSteps: 0 })).toThrow('(got 0 and 4)')
    expect(() => distilledPath(flow, { startSteps: 4.5, numSteps: 4 })).toThrow('(got 4 and 4.5)')
  })
})

describe('refuses', () => {
  const predictors = { student: constant(0), teacher: constant(0) }
  test('a path that cannot be halved', () => {
    const odd = distilledPath(flow, { startSteps: 1, numSteps: 1 })
    expect(() => distillationLosses(process, predictors, { x0, noise, steps }, odd)).toThrow(
      "distillationLosses: the teacher's path must have an even number of steps (got 1)",
    )
  })
  test('steps that the student does not have, and other numbers of them', () => {
    const at = (...which: number[]) =>
      distillationLosses(process, predictors, { x0, noise, steps: Int32Array.of(...which) }, path)
    expect(() => at(0, 2)).toThrow('distillationLosses: steps must be in 0 .. 1 (got 2)')
    expect(() => at(0)).toThrow('there must be one step per sample (got 1 for x0 [2, 1, 1, 3])')
  })
  test('noise and outputs of another shape', () => {
    const other = draws([2, 1, 3, 1], 'noise')
    expect(() => distillationLosses(process, predictors, { x0, noise: other, steps }, path)).toThrow(
      'noise must have the shape of x0',
    )
    const wrong: PredictAt = () => draws([2, 2, 1, 3], 'wrong')
    expect(() => distillationLosses(process, { ...predictors, teacher: wrong }, { x0, noise, steps }, path)).toThrow(
      'distillationLosses: the network must return [2, 1, 1, 3] for xt [2, 1, 1, 3] (got [2, 2, 1, 3])',
    )
  })
  test('a prediction that says nothing of x0', () => {
    const none: Prediction = 'epsilon'
    expect(() => x0Factors(none, { alpha: 0, sigma: 1, timestep: 1 })).toThrow('x0Factors: where alpha is 0, epsilon')
    expect(() => x0Factors('velocity', { alpha: 0.5, sigma: 0.5, timestep: 1 })).toThrow('a velocity needs dAlpha')
  })
})
