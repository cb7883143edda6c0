import { gaussianDiffusion, type Predict } from '@dit/diffusion'
import { ddim, ddimOverSteps, lastStep } from '@dit/sampler'
import { ddimSteps } from '@dit/schedules'
import { affine } from '@dit/tensor'
import { expect, test } from 'vitest'
import { half } from './models.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

const { alphaBar } = gaussianDiffusion().tables

test('is ddim where the steps are the same and nothing is clipped', async () => {
  const xT = draws([2, 1, 2, 2], 'xT')
  const respaced = gaussianDiffusion({ respacing: 'ddim10', varianceType: 'fixedSmall' })
  const options = { eta: 0.5, seed: 4 }
  const expected = await numbers(await lastStep(ddim(respaced, half, xT, { ...options, clipDenoised: false })))
  const steps = ddimSteps({ alphaBar, numSteps: 10, spacing: 'leading' })
  await expectValues(await lastStep(ddimOverSteps(steps, half, xT, options)), expected, 1e-9)
})

test('one step by hand: the noise is the predicted one although x0 is clipped', async () => {
  const steps = {
    timesteps: Int32Array.of(7),
    alphaBar: Float64Array.of(0.36),
    alphaBarPrev: Float64Array.of(0.64),
  }
  // x0 = (2 - 0.8 * 0.5) / 0.6 = 2.67, clipped to 1; next = 0.8 * 1 + 0.6 * 0.5
  const predict: Predict = () => float([0.5])
  await expectValues(await lastStep(ddimOverSteps(steps, predict, float([2]), { clipRange: 1 })), [1.1])
})

test('all prediction types say the same of the same x0', async () => {
  const steps = ddimSteps({ alphaBar, numSteps: 1, spacing: 'trailing', setAlphaToOne: false })
  const [a, s] = [Math.sqrt(steps.alphaBar[0]), Math.sqrt(1 - steps.alphaBar[0])]
  const [x0, noise] = [0.3, -1.2]
  const xT = float([a * x0 + s * noise])
  const end = async (output: number, predictionType: 'epsilon' | 'x0' | 'v') =>
    (await numbers(await lastStep(ddimOverSteps(steps, () => float([output]), xT, { predictionType }))))[0]
  const expected = await end(x0, 'x0')
  expect(await end(noise, 'epsilon')).toBeCloseTo(expected, 10)
  expect(await end(a * noise - s * x0, 'v')).toBeCloseTo(expected, 10)
})

test('leaves nothing behind', async () => {
  const xT = draws([1, 1, 2, 2], 'xT')
  const steps = ddimSteps({ alphaBar, numSteps: 5, spacing: 'leading' })
  const predict: Predict = (xt) => affine(xt, 0.5)
  expect(await buffersLeft(async () => (await lastStep(ddimOverSteps(steps, predict, xT))).dispose())).toBe(0)
})

test('errors', () => {
  const steps = ddimSteps({ alphaBar, numSteps: 5, spacing: 'leading' })
  expect(() => ddimOverSteps(steps, half, float([1]), { eta: 2 })).toThrow(
    new RangeError('ddimOverSteps: eta must be in [0, 1] (got 2)'),
  )
  expect(() => ddimOverSteps(steps, half, float([1]), { eta: 1 })).toThrow(TypeError)
  expect(() => ddimOverSteps(steps, half, float([1]), { clipRange: -1 })).toThrow(/clipRange must be positive/)
})
