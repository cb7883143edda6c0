import { reference } from '@dit/tensor'
import { conformanceCases, type ConformanceResult, runConformance } from '@dit/tensor/conformance'
import { expect, test } from 'vitest'

test('names are unique and begin with their group', () => {
  const cases = conformanceCases()
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  expect(cases.every(({ name, group }) => name.startsWith(`${group}: `))).toBe(true)
})

test('an error says what is wrong, where, by how much, and what would be allowed', async () => {
  const plain = reference()
  const wrong = {
    ...plain,
    kernels: {
      ...plain.kernels,
      softmax(...[x, out]: Parameters<typeof plain.kernels.softmax>) {
        plain.kernels.softmax(x, out)
        new Float64Array(out.buffer as ArrayBuffer)[6] += 0.25
      },
    },
  }
  const [{ error }] = await runConformance(wrong, { filter: 'softmax: softmax of [3, 5, 7]' })
  expect(error?.message).toMatch(
    /^out \[3, 5, 7\] is wrong at \[0, 0, 6\]: got [\d.]+, expected [\d.]+, error 0\.250, tolerance \d\.\d+e-1\d$/,
  )
})

test('results come in order, and to onResult', async () => {
  const heard: ConformanceResult[] = []
  const results = await runConformance(reference(), { filter: /^random/, onResult: (result) => heard.push(result) })
  expect(results.map(({ name, error, worst }) => [name, error, worst])).toEqual([
    ['random: randomNormal draws the numbers of @dit/random', null, 0],
    ['random: randomUniform draws the numbers of @dit/random', null, 0],
  ])
  expect(heard).toEqual(results)
})

test('a factor loosens tolerances, for all or by name, but not exact comparisons', async () => {
  const plain = reference()
  const loose = {
    ...plain,
    kernels: {
      ...plain.kernels,
      unary(...[op, x, out]: Parameters<typeof plain.kernels.unary>) {
        plain.kernels.unary(op, x, out)
        const to = new Float64Array(out.buffer as ArrayBuffer)
        for (let i = 0; i < to.length; i++) to[i] *= 1 + 1e-12
      },
    },
  }
  const passes = async (factor: number | ((name: string) => number), filter: string) =>
    (await runConformance(loose, { filter, factor })).every(({ error }) => error === null)
  expect(await passes(1, 'unary: exp of [1]')).toBe(false)
  expect(await passes(1e5, 'unary: exp of [1]')).toBe(true)
  expect(await passes((name) => (name.startsWith('unary: exp') ? 1e5 : 1), 'unary: exp of [1]')).toBe(true)
  expect(await passes((name) => (name.startsWith('unary: log') ? 1e5 : 1), 'unary: exp of [1]')).toBe(false)
})
