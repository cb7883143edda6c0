import { normals, randomStream } from '@dit/random'
import { levelAtSnr, namedBetas, diffusionTables, type NoiseLevel } from '@dit/schedules'
import { add, affine, concat, reference, scope, slice, tensor, type Tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { denoiser, type Prediction } from '../src/index.js'

const backend = reference()
const shape = [2, 3, 2, 2]
const draw = (name: string) => tensor(normals(randomStream(4, name), 24), shape, { backend })
const [x0, noise] = [draw('x0'), draw('noise')]

/** On the straight path t = sigma. */
const straight: NoiseLevel = { alpha: 0.3, sigma: 0.7, timestep: 0.7, t: 0.7, dAlpha: -1, dSigma: 1 }
const gaussian: NoiseLevel = levelAtSnr(diffusionTables(namedBetas('linear', 1000)), 0.7)

const outputs: Readonly<Record<Prediction, (level: NoiseLevel) => Tensor>> = {
  epsilon: () => noise,
  previousX: () => noise,
  x0: () => x0,
  v: ({ alpha, sigma }) => affine(add(affine(noise, alpha), affine(x0, -sigma)), 1 / Math.hypot(alpha, sigma)),
  velocity: ({ dAlpha, dSigma }) => add(affine(x0, dAlpha!), affine(noise, dSigma!)),
  score: ({ sigma }) => affine(noise, -1 / sigma),
}

const largest = async (a: Tensor, b: Tensor) => {
  const [x, y] = [await a.data(), await b.data()]
  return Math.max(...Array.from(x, (value, i) => Math.abs(value - y[i])))
}

describe('denoiser finds both parts of xt', () => {
  for (const [name, level] of Object.entries({ straight, gaussian })) {
    for (const prediction of Object.keys(outputs) as Prediction[]) {
      if (prediction === 'velocity' && level === gaussian) continue
      test(`from ${prediction} on a ${name} level`, async () => {
        const xt = add(affine(x0, level.alpha), affine(noise, level.sigma))
        const found = denoiser(() => outputs[prediction](level), { prediction })(xt, level)
        expect(await largest(found.x0, x0)).toBeLessThan(1e-13)
        expect(await largest(found.noise, noise)).toBeLessThan(1e-13)
      })
    }
  }
})

test('tells whole timesteps as integers and others as they are, and scales the input where the level says so', async () => {
  const told: (Int32Array | Float32Array)[] = []
  const seen: Tensor[] = []
  const predict = (xt: Tensor, timesteps: Int32Array | Float32Array) => {
    told.push(timesteps)
    seen.push(xt)
    return xt
  }
  const denoise = denoiser(predict, { prediction: 'epsilon' })
  denoise(x0, { ...gaussian, timestep: 7 })
  denoise(x0, { ...gaussian, timestep: 7.5, inputScale: 0.5 })
  expect(told).toEqual([Int32Array.of(7, 7), Float32Array.of(7.5, 7.5)])
  expect(seen[0]).toBe(x0)
  expect(await largest(seen[1], affine(x0, 0.5))).toBe(0)
})

test('clips x0, and takes the noise from it or leaves the network its own', async () => {
  const xt = add(affine(x0, gaussian.alpha), affine(noise, gaussian.sigma))
  const options = { prediction: 'epsilon', clipRange: 0.1 } as const
  const clipped = denoiser(() => noise, options)(xt, gaussian)
  expect(Math.max(...(await clipped.x0.data()))).toBe(0.1)
  const again = add(affine(clipped.x0, gaussian.alpha), affine(clipped.noise, gaussian.sigma))
  expect(await largest(again, xt)).toBeLessThan(1e-13)
  const own = denoiser(() => noise, { ...options, noiseFrom: 'prediction' })(xt, gaussian)
  expect(await largest(own.noise, noise)).toBe(0)
})

test('leaves variance channels out', async () => {
  const both = concat([noise, x0], 1)
  const found = denoiser(() => both, { prediction: 'epsilon', outputsPerChannel: 2 })(noise, gaussian)
  expect(await largest(found.noise, noise)).toBe(0)
})

test('names what does not fit', () => {
  expect(() => denoiser(() => noise, { prediction: 'dream' as never })).toThrow('prediction must be one of epsilon')
  expect(() => denoiser(() => noise, { prediction: 'x0', clipRange: 0 })).toThrow('clipRange must be positive (got 0)')
  const wide = denoiser(() => concat([noise, x0], 1), { prediction: 'x0' })
  expect(() => scope(() => wide(noise, gaussian))).toThrow(
    'must return [2, 3, 2, 2] for xt [2, 3, 2, 2] (got [2, 6, 2, 2])',
  )
  const velocity = denoiser(() => noise, { prediction: 'velocity' })
  expect(() => scope(() => velocity(noise, gaussian))).toThrow('a velocity needs dAlpha and dSigma of the level')
})

test('preconditions: x0 is skip xt + out output, at the level of the estimate', async () => {
  const level: NoiseLevel = { alpha: 1, sigma: 2, timestep: 5 }
  const precondition = ({ sigma }: NoiseLevel) => ({ skip: 1 / sigma, out: 3 })
  const found = denoiser(() => noise, { prediction: 'x0', precondition })(x0, level)
  expect(await largest(found.x0, add(affine(x0, 0.5), affine(noise, 3)))).toBeLessThan(1e-13)
})

test('shows the network what it is asked about, and reads the answer as one about xt', async () => {
  const asked: [Tensor, number][] = []
  const predict = (xt: Tensor, timesteps: ArrayLike<number>) => (asked.push([xt, timesteps[0]]), noise)
  const read = { alpha: 0.6, sigma: 0.8, timestep: 7 }
  const found = denoiser(predict, { prediction: 'epsilon' })(x0, read, undefined, {
    xt: noise,
    level: { alpha: 1, sigma: 9, timestep: 3 },
  })
  expect(asked).toEqual([[noise, 3]])
  expect(await largest(found.x0, affine(add(x0, affine(noise, -0.8)), 1 / 0.6))).toBeLessThan(1e-13)
})

test('hands on the channels for the variance', async () => {
  const predict = () => concat([noise, x0], 1)
  const found = denoiser(predict, { prediction: 'epsilon', outputsPerChannel: 2 })(x0, gaussian)
  expect(await largest(found.variance!, x0)).toBe(0)
  expect(denoiser(() => noise, { prediction: 'epsilon' })(x0, gaussian).variance).toBeUndefined()
})

test('refuses noise where nothing of the signal is left', () => {
  const level: NoiseLevel = { alpha: 0, sigma: 1, timestep: 999 }
  expect(() => denoiser(() => noise, { prediction: 'epsilon' })(x0, level)).toThrow(
    'denoiser: where alpha is 0 a noise says nothing of x0',
  )
})

test('a condition corrects both estimates after clipping, and takes away the velocity that was read', async () => {
  const xt = add(affine(x0, straight.alpha), affine(noise, straight.sigma))
  const asked: [Tensor, ArrayLike<number>][] = []
  const conditionGradient = (x: Tensor, timesteps: Int32Array | Float32Array) => (asked.push([x, timesteps]), x0)
  const options = { prediction: 'velocity', clipRange: 0.1 } as const
  const plain = denoiser(() => noise, options)(xt, straight)
  const found = denoiser(() => noise, { ...options, conditionGradient })(xt, straight)
  expect(asked).toEqual([[xt, Float32Array.of(0.7, 0.7)]])
  expect(await largest(found.noise, add(plain.noise, affine(x0, -0.7)))).toBeLessThan(1e-13)
  expect(await largest(found.x0, add(plain.x0, affine(x0, 0.49 / 0.3)))).toBeLessThan(1e-13)
  // Together they are still xt.
  expect(await largest(add(affine(found.x0, 0.3), affine(found.noise, 0.7)), xt)).toBeLessThan(1e-13)
  const velocity = denoiser(() => noise, { prediction: 'velocity', conditionGradient })(xt, straight)
  expect(velocity.velocity).toBeUndefined()
  const none: NoiseLevel = { alpha: 0, sigma: 1, timestep: 999 }
  expect(() => denoiser(() => noise, { prediction: 'x0', conditionGradient })(xt, none)).toThrow(
    'denoiser: where alpha is 0 a condition says nothing of x0 (at timestep 999)',
  )
})

test('refuses options that it does not know, and a gradient of another shape', () => {
  const make = (options: object) => () => denoiser(() => noise, { prediction: 'epsilon', ...options })
  expect(make({ noiseFrom: 'x0' })).toThrow(
    new RangeError('denoiser: noiseFrom must be clippedX0 or prediction (got x0)'),
  )
  expect(make({ outputsPerChannel: 3 })).toThrow(new RangeError('denoiser: outputsPerChannel must be 1 or 2 (got 3)'))
  const conditionGradient = (xt: Tensor) => scope(() => slice(xt, 0, 0, 1))
  expect(() => make({ conditionGradient })()(x0, gaussian)).toThrow(
    `denoiser: conditionGradient must return the shape of xt (got [1, ${x0.shape.slice(1).join(', ')}] and [${x0.shape.join(', ')}])`,
  )
})
