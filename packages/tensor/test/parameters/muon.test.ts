import { dispose, matmul, muon, orthogonalise, scope, tensor, zeros } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, draw, numbers } from '../check-gradients.js'

const matrix = (values: readonly number[], shape: readonly number[]) =>
  tensor(Float64Array.from(values), shape, { backend })
const linear = { coefficients: [1.5, -0.5, 0] as const, epsilon: 0 }

test('a step of the iteration on one number is its polynomial', async () => {
  // x / |x| = 1 first, then a + b + c.
  const [value] = await numbers(orthogonalise(matrix([7], [1, 1]), { numSteps: 1, epsilon: 0 }))
  expect(value).toBeCloseTo(3.4445 - 4.775 + 2.0315, 12)
  const [none] = await numbers(orthogonalise(matrix([7], [1, 1]), { numSteps: 0, epsilon: 0 }))
  expect(none).toBe(1)
})

test.each([
  ['wide', [2, 3]],
  ['tall', [3, 2]],
] as const)('with the coefficients that converge, a %s matrix becomes orthogonal', async (_, shape) => {
  const x = matrix([1, 2, 3, -1, 0.5, 2], shape)
  const result = orthogonalise(x, { ...linear, numSteps: 30 })
  const gram = matmul(result, result, shape[0] < shape[1] ? { transposeB: true } : { transposeA: true })
  const values = await numbers(gram)
  for (const [i, wanted] of [1, 0, 0, 1].entries()) expect(values[i]).toBeCloseTo(wanted, 10)
})

test('by default five iterations bring singular values near 1', async () => {
  const x = matrix([1, 0, 0, 0.02], [2, 2])
  const [first, , , second] = await numbers(orthogonalise(x))
  for (const value of [first, second]) expect(Math.abs(value - 1)).toBeLessThan(0.35)
})

test('several matrices are each taken by themselves', async () => {
  const [a, b] = [draw('a', [1, 2, 3]), draw('b', [1, 2, 3])]
  const both = matrix([...(await numbers(a)), ...(await numbers(b))], [2, 2, 3])
  expect(await numbers(orthogonalise(both))).toEqual([
    ...(await numbers(orthogonalise(a))),
    ...(await numbers(orthogonalise(b))),
  ])
})

test('epsilon is added to the norm, or its least value', async () => {
  const x = matrix([3], [1, 1])
  expect(await numbers(orthogonalise(x, { numSteps: 0, epsilon: 1 }))).toEqual([0.75])
  expect(await numbers(orthogonalise(x, { numSteps: 0, epsilon: 6, epsilonIs: 'least' }))).toEqual([0.5])
  expect(await numbers(orthogonalise(x, { numSteps: 0, epsilon: 1, epsilonIs: 'least' }))).toEqual([1])
})

test('two steps by hand', async () => {
  // Without iterations a number becomes its sign, so only momentum, decay and scale are left.
  const state = { parameter: matrix([10], [1, 1]), gradient: matrix([4], [1, 1]), momentum: matrix([0], [1, 1]) }
  const step = { learningRate: 0.5, weightDecay: 0.2, beta: 0.75, numSteps: 0, epsilon: 0 }
  muon(state, step)
  expect(await numbers(state.momentum)).toEqual([1])
  expect(await numbers(state.parameter)).toEqual([10 * 0.9 - 0.5])
  // Momentum 0.75 - 0.5 = 0.25; a step ahead it is -0.5 + 0.1875.
  const second = { ...state, gradient: matrix([-2], [1, 1]) }
  muon(second, step)
  expect(await numbers(state.momentum)).toEqual([0.25])
  expect(await numbers(state.parameter)).toEqual([8.5 * 0.9 + 0.5])
  muon({ ...state, gradient: matrix([-0.5], [1, 1]) }, { ...step, nesterov: false, gradientScale: 0.5 })
  expect(await numbers(state.momentum)).toEqual([0.125])
  expect((await numbers(state.parameter))[0]).toBeCloseTo(8.15 * 0.9 - 0.5, 12)
})

test('steps grow with the shape of the matrix; of a kernel only its sides count', async () => {
  const stepOf = async (shape: readonly number[], scale: 'original' | 'matchRms') => {
    const parameter = zeros(shape, { backend })
    const gradient = tensor(new Float64Array(parameter.size).fill(1), shape, { backend })
    muon(
      { parameter, gradient, momentum: zeros(shape, { backend }) },
      { learningRate: 1, numSteps: 0, epsilon: 0, scale },
    )
    // All entries of the update are 1 / sqrt(size).
    return -(await numbers(parameter))[0] * Math.sqrt(parameter.size)
  }
  expect(await stepOf([4, 1], 'original')).toBeCloseTo(2, 12)
  expect(await stepOf([1, 4], 'original')).toBeCloseTo(1, 12)
  expect(await stepOf([8, 1, 2, 2], 'original')).toBeCloseTo(1, 12)
  expect(await stepOf([4, 9], 'matchRms')).toBeCloseTo(0.6, 12)
})

test('leaves no buffers behind', () => {
  const state = { parameter: draw('p', [3, 2]), gradient: draw('g', [3, 2]), momentum: zeros([3, 2], { backend }) }
  const before = backend.memory().buffers
  muon(state, { learningRate: 0.1 })
  scope(() => dispose(orthogonalise(state.gradient)))
  expect(backend.memory().buffers).toBe(before)
})

test('names what is wrong', () => {
  const [row, x] = [zeros([3], { backend }), zeros([2, 2], { backend })]
  expect(() => orthogonalise(row)).toThrow('orthogonalise: x must be a matrix or several (got [3])')
  expect(() => orthogonalise(x, { numSteps: -1 })).toThrow('numSteps must be a whole number, 0 or more (got -1)')
  expect(() => orthogonalise(x, { epsilonIs: 'most' as 'least' })).toThrow(
    'epsilonIs must be added or least (got most)',
  )
  expect(() => muon({ parameter: x, gradient: row, momentum: x }, { learningRate: 1 })).toThrow(
    'muon: parameter, gradient and momentum must be matrices of one shape (got [2, 2], [3], [2, 2])',
  )
  const wrong = { learningRate: 1, scale: 'rms' as 'original' }
  expect(() => muon({ parameter: x, gradient: x, momentum: x }, wrong)).toThrow('scale must be original or matchRms')
})
