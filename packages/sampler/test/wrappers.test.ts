import { type Denoise, denoiseAtLevels, type Noised } from '@dit/diffusion'
import { edmPath, type NoiseLevel } from '@dit/schedules'
import { add, affine, full } from '@dit/tensor'
import { expect, test } from 'vitest'
import { float, numbers } from '../../diffusion/test/tensors.js'
import { autoguided, euler, guidanceInterval, inpainting, lastStep } from '../src/index.js'

const path = edmPath({ numSteps: 4, sigmaMin: 0.5, sigmaMax: 4 })
const ofNormal = denoiseAtLevels((x, sigmas) => affine(x, 1 / (1 + sigmas[0] ** 2)))
const nothing = full([1, 1, 1, 1], 0)
const wrappers: Readonly<Record<string, (denoise: Denoise) => Denoise>> = {
  denoiseAtLevels: (denoise) => denoise,
  guidanceInterval: (denoise) => guidanceInterval(denoise, ofNormal, { steps: [0, 9], path }),
  // Twice the same is the same, whatever the scale.
  autoguided: (denoise) => autoguided(denoise, denoise, { scale: 2 }),
  inpainting: (denoise) => inpainting(denoise, { x0: nothing, mask: nothing, seed: 0 }),
}

const seen: Noised = { xt: float([2]), level: { alpha: 1, sigma: 1, timestep: 1 } }
const level: NoiseLevel = { alpha: 1, sigma: 3, timestep: 3 }

test('a network by sigma answers about what it is shown', async () => {
  const { x0, noise } = ofNormal(float([6]), level, undefined, seen)
  expect(await numbers(x0)).toEqual([1])
  expect(await numbers(noise)).toEqual([5 / 3])
})

for (const [name, wrap] of Object.entries(wrappers)) {
  test(`${name} hands on the step and what the network is to see`, async () => {
    const asked: unknown[] = []
    const denoise: Denoise = (xt, at, step, shown) => {
      asked.push([step === path.steps[1], at.sigma, shown?.level.sigma])
      return { x0: affine(shown!.xt, 1), noise: affine(xt, 0) }
    }
    if (name === 'denoiseAtLevels') return
    const { x0 } = wrap(denoise)(float([6]), level, path.steps[1], seen)
    expect(asked[0]).toEqual([true, 3, 1])
    expect(await numbers(x0)).toEqual([2])
  })

  test(`${name} leaves churn that the network does not see what it is`, async () => {
    const run = async (denoise: Denoise, networkSees: 'before' | 'raised') =>
      numbers(await lastStep(euler(path, denoise, float([4]), { churn: 2, seed: 0, networkSees })))
    const [wanted] = await run(ofNormal, 'before')
    expect(wanted).not.toBeCloseTo((await run(ofNormal, 'raised'))[0], 3)
    expect((await run(wrap(ofNormal), 'before'))[0]).toBeCloseTo(wanted, 12)
  })
}

test('inpainting shows the network the known part at the level that it sees', async () => {
  const denoise: Denoise = (xt, _at, _step, shown) => ({ x0: affine(shown!.xt, 1), noise: affine(xt, 1) })
  const [x0, mask] = [float([10]), full([1, 1, 1, 1], 0.5)]
  const found = inpainting(denoise, { x0, mask, noise: ({ sigma }) => full([1, 1, 1, 1], sigma) })
  const parts = found(float([6]), level, undefined, seen)
  // The network sees (10 + 1 + 2) / 2, and its answer is blended with 10; the solver has (10 + 9 + 6) / 2.
  expect(await numbers(parts.x0)).toEqual([(10 + 6.5) / 2])
  expect((await numbers(parts.noise))[0]).toBeCloseTo(((6 - 10) / 3 + 12.5) / 2, 12)
})

test('the channels for the variance are those of the network, of the strong one where there are two', async () => {
  const withVariance =
    (value: number): Denoise =>
    (xt, at) => ({ ...ofNormal(xt, at), variance: add(affine(xt, 0), full([1, 1, 1, 1], value)) })
  const strong = withVariance(3)
  for (const denoise of [
    autoguided(strong, withVariance(5), { scale: 2 }),
    guidanceInterval(strong, ofNormal, { sigmas: [0, 9] }),
    inpainting(strong, { x0: nothing, mask: nothing, seed: 0 }),
  ]) {
    expect(await numbers(denoise(float([1]), level).variance!)).toEqual([3])
  }
})
