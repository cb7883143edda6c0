import { type Denoise, denoiseAtLevels } from '@dit/diffusion'
import { edmPath, flowPath, type NoiseLevel } from '@dit/schedules'
import { affine, dispose, full, scope, tensor, type Tensor } from '@dit/tensor'
import { backend } from '../../diffusion/test/tensors.js'
import { expect, test } from 'vitest'
import {
  ddim,
  deis,
  dormandPrince,
  dpmMultistep,
  euler,
  heun,
  inpainting,
  type InpaintingOptions,
  lastStep,
  lms,
  plms,
  rungeKutta,
  startNoise,
  unipc,
} from '../src/index.js'

const shape = [2, 2, 1, 2]
const picture = startNoise(shape, { seed: 5 })
const path = edmPath({ numSteps: 6 })
const ofNormal = denoiseAtLevels((x, sigmas) => affine(x, 1 / (1 + sigmas[0] ** 2)))
const xT = affine(startNoise(shape, { seed: 1 }), path.startScale)
const fill = (value: number) => full([1, 1, 1, 1], value)
const row = (...values: number[]) => tensor(Float64Array.from(values), [1, 1, 1, values.length])

test('a mask of ones keeps the picture', async () => {
  const denoise = inpainting(ofNormal, { x0: picture, mask: fill(1), seed: 0 })
  for (const solver of [heun, euler, ddim, lms, plms, deis, dpmMultistep, unipc]) {
    const result = await (await lastStep(solver(path, denoise, xT))).data()
    for (const [i, value] of (await picture.data()).entries()) expect(result[i], solver.name).toBeCloseTo(value, 11)
  }
})

test('a mask of ones keeps the picture where a solver asks at the end of its path, too', async () => {
  const straight = flowPath({ numSteps: 3, from: 0.999 })
  const denoise = inpainting(ofNormal, { x0: picture, mask: fill(1), seed: 0 })
  const start = startNoise(shape, { seed: 1 })
  const wanted = await picture.data()
  for (const method of ['euler', 'midpoint', 'heun2', 'heun3', 'threeEighths4', 'classic4'] as const) {
    const result = await (await lastStep(rungeKutta(straight, denoise, start, { method }))).data()
    for (const [i, value] of wanted.entries()) expect(result[i], method).toBeCloseTo(value, 11)
  }
  const result = await (await lastStep(dormandPrince(straight, denoise, start))).data()
  for (const [i, value] of wanted.entries()) expect(result[i]).toBeCloseTo(value, 9)
})

test('a mask of zeros changes nothing', async () => {
  const denoise = inpainting(ofNormal, { x0: picture, mask: fill(0), seed: 0 })
  const [got, wanted] = await Promise.all(
    [denoise, ofNormal].map(async (use) => (await lastStep(heun(path, use, xT))).data()),
  )
  expect(got).toEqual(wanted)
})

test('keeps what the mask marks, in every channel, and fills in the rest', async () => {
  const denoise = inpainting(ofNormal, { x0: picture, mask: row(1, 0), seed: 0 })
  const result = await (await lastStep(heun(path, denoise, xT))).data()
  for (const [i, value] of (await picture.data()).entries()) {
    expect(Math.abs(result[i] - value) < 1e-12).toBe(i % 2 === 0)
  }
})

test('shows the network the known part, noised to the level, beside what the solver has', async () => {
  const seen: Promise<ArrayLike<number>>[] = []
  const level: NoiseLevel = { alpha: 0.5, sigma: 2, timestep: 3 }
  const denoise = inpainting(
    (xt) => {
      seen.push(affine(xt, 1).data())
      return { x0: affine(xt, 0, 9), noise: affine(xt, 0, 8) }
    },
    { x0: row(4, 40), mask: row(1, 0), noise: ({ sigma }) => full([1, 1, 1, 2], sigma) },
  )
  const { x0, noise } = denoise(row(100, 7), level)
  expect(await seen[0]).toEqual(Float64Array.of(0.5 * 4 + 2 * 2, 7))
  expect(await x0.data()).toEqual(Float64Array.of(4, 9))
  // (100 - 0.5 * 4) / 2, which leads from the known 4 to the 100 that the solver has
  expect(await noise.data()).toEqual(Float64Array.of(49, 8))
})

test('with a seed the noise is new at every level, and that of the sample however they are batched', async () => {
  const noiseOf = async (sigma: number, count: number, firstSample: number) => {
    const zeros = full([count, 1, 1, 2], 0)
    const options = { x0: zeros, mask: fill(1), seed: 3, firstSample }
    let seen: Promise<ArrayLike<number>>
    const denoise: Denoise = (xt, level) => ((seen = affine(xt, 1 / sigma).data()), ofNormal(xt, level))
    inpainting(denoise, options)(zeros, { alpha: 1, sigma, timestep: sigma })
    return Array.from(await seen!)
  }
  const both = await noiseOf(2, 2, 0)
  expect(await noiseOf(2, 1, 1)).toEqual(both.slice(2))
  expect(await noiseOf(1, 2, 0)).not.toEqual(both)
})

test('leaves no buffers behind in the scope of a solver', () => {
  const denoise = inpainting(ofNormal, { x0: picture, mask: fill(0.5), seed: 0 })
  const before = backend.memory().buffers
  const found = scope(() => denoise(xT, path.steps[0].from))
  expect(backend.memory().buffers).toBe(before + 2)
  dispose(found)
})

test('names what does not fit', () => {
  const [{ from }] = path.steps
  const noise = full([2, 2, 1, 1], 1)
  expect(() => inpainting(ofNormal, { x0: picture, mask: fill(1), noise })(xT, from)).toThrow(
    'inpainting: noise must have the shape of xt (got [2, 2, 1, 1] and [2, 2, 1, 2])',
  )
  expect(() => inpainting(ofNormal, { x0: picture, mask: fill(1), noise: () => noise })(xT, from)).toThrow(
    'inpainting: noise must have the shape of xt',
  )
  expect(() => inpainting(ofNormal, { x0: picture, mask: fill(1), seed: 0, firstSample: 0.5 })).toThrow(
    'inpainting: firstSample must be a non-negative integer (got 0.5)',
  )
  const none = { x0: picture, mask: fill(1) } as unknown as InpaintingOptions
  expect(() => inpainting(ofNormal, none)).toThrow(new TypeError('inpainting: a seed or noise is needed (got neither)'))
  const wide: Tensor = full([1, 1, 1, 3], 1)
  expect(() => inpainting(ofNormal, { x0: picture, mask: wide, seed: 0 })(xT, path.steps[0].from)).toThrow(
    'inpainting: mask must fit xt [2, 2, 1, 2] (got [1, 1, 1, 3])',
  )
  expect(() => inpainting(ofNormal, { x0: wide, mask: fill(1), seed: 0 })(xT, path.steps[0].from)).toThrow(
    'inpainting: x0 must fit xt [2, 2, 1, 2] (got [1, 1, 1, 3])',
  )
})
