import { gaussianDiffusion } from '@dit/diffusion'
import { affine, concat, dispose, full, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { ddim, ddimReverse, ddimReverseStep, lastStep } from '../src/index.js'
import { readFixture } from './fixture.js'
import { half, predictorOfNormal, twoSteps } from './models.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

test('steps up along the noise it found, as worked out by hand', async () => {
  const batch = { xt: float([1]), timesteps: Int32Array.of(0) }
  const { xt, x0 } = ddimReverseStep(twoSteps, () => float([0.9]), batch)
  await expectValues(x0, [(1 - 0.6 * 0.9) / 0.8])
  await expectValues(xt, [0.6 * ((1 - 0.6 * 0.9) / 0.8) + 0.8 * 0.9])
})

test('arrives at the noise itself after the last timestep', async () => {
  const { xt } = ddimReverseStep(twoSteps, () => float([0.9]), { xt: float([1]), timesteps: Int32Array.of(1) })
  await expectValues(xt, [0.9])
})

test('runs all timesteps upwards', async () => {
  const told: number[] = []
  for await (const { index, numSteps, timestep } of ddimReverse(
    gaussianDiffusion({ respacing: '4', varianceType: 'fixedSmall' }),
    half,
    float([0.1]),
  )) {
    expect([index, numSteps]).toEqual([told.length, 4])
    told.push(timestep)
  }
  expect(told).toEqual([0, 333, 666, 999])
})

test('is undone by DDIM, the better the more steps there are', async () => {
  const x0 = [0.5, -0.3, 0.1]
  const errors: number[] = []
  for (const respacing of ['20', '80', '320']) {
    const diffusion = gaussianDiffusion({ respacing, varianceType: 'fixedSmall' })
    const predict = predictorOfNormal(diffusion, 0.25)
    const options = { clipDenoised: false }
    const noise = await lastStep(ddimReverse(diffusion, predict, float(x0), options))
    const back = await numbers(await lastStep(ddim(diffusion, predict, noise, options)))
    errors.push(Math.max(...back.map((value, i) => Math.abs(value - x0[i]))))
  }
  expect(errors[1]).toBeLessThan(errors[0] / 2)
  expect(errors[2]).toBeLessThan(errors[1] / 2)
  expect(errors[2]).toBeLessThan(0.01)
})

test('agrees with the reference implementation on single steps', async () => {
  const { config, tensor, integers, expectClose } = readFixture('steps')
  const batch = { xt: tensor('out.x_t'), timesteps: integers('in.t') }
  const diffusion = gaussianDiffusion({ respacing: config.respacing })
  const predict = () => tensor('in.model_output')
  await expectClose('out.clip.ddim_reverse_sample', ddimReverseStep(diffusion, predict, batch).xt)
  const { xt } = ddimReverseStep(diffusion, predict, batch, { clipDenoised: false })
  await expectClose('out.noclip.ddim_reverse_sample', xt)
})

test('agrees with the reference implementation on a chain', async () => {
  const { config, tensor, integers, expectClose } = readFixture('ddim-reverse10')
  let calls = 0
  const steps = ddimReverse(
    gaussianDiffusion({ respacing: config.respacing }),
    (_, original) => {
      expect(original).toEqual(integers('out.model_t', calls))
      return tensor('out.model_output', calls++)
    },
    tensor('in.x_init'),
    { clipDenoised: config.clipDenoised },
  )
  for await (const { index, xt, x0 } of steps) {
    await expectClose('out.sample', xt, index)
    await expectClose('out.pred_xstart', x0, index)
  }
  expect(calls).toBe(10)
})

test('leaves nothing behind but its results', async () => {
  const xt = draws([2, 3, 2, 2], 'xt')
  const diffusion = gaussianDiffusion({ respacing: 'ddim4' })
  const predict = (x: Tensor) => concat([x, full(x.shape, 0.2)], 1)
  const options = { conditionGradient: (x: Tensor) => affine(x, 0.5) }
  const step = () => dispose(ddimReverseStep(diffusion, predict, { xt, timesteps: Int32Array.of(0, 3) }, options))
  expect(await buffersLeft(step)).toBe(0)
  const chain = async () => (await lastStep(ddimReverse(diffusion, predict, xt, options))).dispose()
  expect(await buffersLeft(chain)).toBe(0)
})

test('refuses a start that is no batch of floats', () => {
  expect(() => ddimReverse(twoSteps, half, float([1], [1]))).toThrow(
    new RangeError('ddimReverse: x0 must be [B, C, ...] (got [1])'),
  )
})
