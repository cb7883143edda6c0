import { denoiser } from '@dit/diffusion'
import { edmPath, flowPath, pathThrough, preservingLevel, reversedPath } from '@dit/schedules'
import { affine } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { float, numbers } from '../../diffusion/test/tensors.js'
import type { Solver } from './paths.js'
import { deis, dpmMultistep, dpmSinglestep, lastStep, lms, unipc } from '../src/index.js'

const denoise = denoiser((xt) => affine(xt, 0.5), { prediction: 'x0' })
const solvers = {
  dpmMultistep,
  dpmSinglestep,
  lms,
  deis,
  unipc,
  sde: (path, ask, xT) => dpmMultistep(path, ask, xT, { algorithm: 'sde-dpmsolver++', seed: 0 }),
} satisfies Record<string, Solver>
const table = [8, 4, 2, 1]
const repeated = edmPath({
  numSteps: 9,
  sigmaMin: 1,
  sigmaMax: 8,
  nearest: (sigma) => table.reduce((a, b) => (Math.abs(b - sigma) < Math.abs(a - sigma) ? b : a)),
})

describe.each(Object.entries(solvers))('%s', (name, solver) => {
  const caller = name === 'sde' ? 'dpmMultistep' : name
  const begin =
    (...levels: readonly number[]) =>
    () =>
      solver(pathThrough(levels.map((ratio) => preservingLevel(ratio, 0))), denoise, float([1]))

  test('refuses a step between equal levels, or to a noisier one', () => {
    expect(() => solver(repeated, denoise, float([1]))).toThrow(
      new RegExp(`^${caller}: the path must fall in noise \\(step \\d goes from sigma / alpha \\d to \\d\\)$`),
    )
    expect(begin(1, 2, 0.5)).toThrow(/the path must fall in noise \(step 0 goes from sigma \/ alpha 1(\.0*\d*)? to 2/)
    expect(begin(0, 2)).toThrow(`${caller}: the path must fall in noise (step 0 goes from sigma / alpha 0 to`)
    expect(() => solver(flowPath({ numSteps: 3, from: 0, to: 0.9 }), denoise, float([1]))).toThrow(
      `${caller}: the path must fall in noise`,
    )
    expect(() =>
      solver(reversedPath(pathThrough([4, 2, 1].map((s) => preservingLevel(s, 0)))), denoise, float([1])),
    ).toThrow(RangeError)
  })

  test('takes a last step that is empty, as schedulers of diffusers have it', async () => {
    const level = (ratio: number) => preservingLevel(ratio, 0)
    for (const end of [1, 1 + 2e-16, 1 - 2e-16]) {
      const path = pathThrough([4, 2, 1, end].map(level))
      const [value] = await numbers(await lastStep(solver(path, denoise, float([1]))))
      expect(Number.isFinite(value), String(end)).toBe(true)
    }
  })
})

test('the last step of an ODE may rise a little, but not that of an SDE', async () => {
  const path = pathThrough([4, 2, 1, 1.5].map((ratio) => preservingLevel(ratio, 0)))
  const [value] = await numbers(await lastStep(dpmMultistep(path, denoise, float([1]))))
  expect(Number.isFinite(value)).toBe(true)
  expect(() => dpmMultistep(path, denoise, float([1]), { algorithm: 'sde-dpmsolver++', seed: 0 })).toThrow(
    /the path must fall in noise \(step 2 goes/,
  )
})

test('a solver that divides by alpha names the way to begin', () => {
  expect(() => lms(flowPath({ numSteps: 3 }), denoise, float([1]))).toThrow(
    'lms: alpha must be above 0 along the path, for this solver divides by it; begin a flow just below pure noise (flowPath with from: 0.999)',
  )
})
