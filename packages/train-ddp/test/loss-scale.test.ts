import { reference, type Backend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { GROWTH_INTERVAL, grownLossScale, initialLossScale, shrunkLossScale } from '../src/loss-scale.js'
import { losses, run, tinyData, tinyObjective, tinyRecipe } from './setting.js'

/** `reference` with gradients of linear layers that overflow above a scale, as half numbers do. */
function overflowing(above: number, lossScale: number): { backend: Backend; scales: number[] } {
  const base = reference()
  const scales: number[] = []
  const backend: Backend = {
    ...base,
    kernels: {
      ...base.kernels,
      matmul(a, b, transposeA, transposeB, out) {
        base.kernels.matmul(a, b, transposeA, transposeB, out)
        if (!transposeA) return
        // A gradient of a weight.
        scales.push(backend.lossScale!)
        if (backend.lossScale! > above) base.kernels.fill(out, Infinity)
      },
    },
    lossScale,
  }
  return { backend, scales }
}

const options = { objective: tinyObjective, recipe: tinyRecipe, seed: 0, steps: 4, data: tinyData() }

test('a step whose gradient overflows is repeated with half of the scale, and the run goes on as if it had begun so', async () => {
  const { backend } = overflowing(1024, 4096)
  const events = await run({ ...options, backend })
  expect(events.filter(({ type }) => type === 'loss-scale')).toEqual([
    { type: 'loss-scale', step: 1, scale: 2048 },
    { type: 'loss-scale', step: 1, scale: 1024 },
  ])
  expect(losses(events)).toEqual(losses(await run({ ...options, backend: overflowing(1024, 1024).backend })))
  expect(events.flatMap((event) => (event.type === 'step' ? [event.record.lossScale] : []))).toEqual([
    1024, 1024, 1024, 1024,
  ])
})

test('a gradient that is not finite at scale 1 ends the run', async () => {
  await expect(run({ ...options, backend: overflowing(0.5, 4).backend })).rejects.toThrow(
    /the norm of the gradient is (NaN|Infinity) at step 1/,
  )
})

test('engines without a scale have none in the log', async () => {
  const events = await run({ ...options, steps: 1, backend: reference() })
  expect(events.find((event) => event.type === 'step')).not.toHaveProperty('record.lossScale')
  expect(initialLossScale(reference())).toBeNull()
})

test('the scale doubles after so many good steps, up to 65536', () => {
  let scale = { value: 32_768, goodSteps: 0 }
  for (let step = 1; step < GROWTH_INTERVAL; step++) scale = grownLossScale(scale)
  expect(scale).toEqual({ value: 32_768, goodSteps: GROWTH_INTERVAL - 1 })
  scale = grownLossScale(scale)
  expect(scale).toEqual({ value: 65_536, goodSteps: 0 })
  expect(grownLossScale({ value: 65_536, goodSteps: GROWTH_INTERVAL - 1 }).value).toBe(65_536)
  expect(shrunkLossScale({ value: 1, goodSteps: 9 })).toBeNull()
})
