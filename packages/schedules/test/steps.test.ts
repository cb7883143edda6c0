import { ddimSteps, diffusionTables, dpmSteps, namedBetas } from '@dit/schedules'
import { describe, expect, test } from 'vitest'

const alphaBar = diffusionTables(namedBetas('linear', 1000)).alphaBar

describe('ddimSteps', () => {
  test('each step leads to where the next begins, and the last to no noise', () => {
    const steps = ddimSteps({ alphaBar, numSteps: 10, spacing: 'leading', stepsOffset: 1 })
    expect([...steps.timesteps]).toEqual([901, 801, 701, 601, 501, 401, 301, 201, 101, 1])
    expect(steps.alphaBar[3]).toBe(alphaBar[601])
    expect([...steps.alphaBarPrev]).toEqual([...steps.alphaBar.slice(1), 1])
  })

  test('setAlphaToOne: false leads the last step to the noise of timestep 0', () => {
    const steps = ddimSteps({ alphaBar, numSteps: 10, spacing: 'leading', setAlphaToOne: false })
    expect(steps.alphaBarPrev.at(-1)).toBe(alphaBar[0])
  })
})

describe('dpmSteps', () => {
  test('sigmas are those of the timesteps, and the last is 0', () => {
    const { timesteps, sigmas } = dpmSteps({ alphaBar, numSteps: 5, spacing: 'linspace' })
    expect([...timesteps]).toEqual([999, 799, 599, 400, 200])
    expect(sigmas[0]).toBeCloseTo(157.41, 1) // sqrt(1 / 4.0358e-5 - 1)
    expect(sigmas[3]).toBe(Math.sqrt((1 - alphaBar[400]) / alphaBar[400]))
    expect(sigmas[5]).toBe(0)
  })

  test('karras spans the schedule, evenly in sigma^(1/7), and names the nearest timesteps', () => {
    const { timesteps, sigmas } = dpmSteps({
      alphaBar,
      numSteps: 6,
      spacing: 'leading',
      sigmas: 'karras',
      finalSigma: 'sigmaMin',
    })
    expect(sigmas[0]).toBeCloseTo(Math.sqrt(1 / alphaBar[999] - 1), 9)
    expect(sigmas[5]).toBeCloseTo(Math.sqrt(1 / alphaBar[0] - 1), 9)
    expect(sigmas[6]).toBe(Math.sqrt((1 - alphaBar[0]) / alphaBar[0]))
    const roots = Array.from(sigmas.slice(0, 6), (sigma) => sigma ** (1 / 7))
    const distances = roots.slice(1).map((root, i) => roots[i] - root)
    for (const distance of distances) expect(distance).toBeCloseTo(distances[0], 9)
    expect([timesteps[0], timesteps[5]]).toEqual([999, 0])
    for (const [i, timestep] of timesteps.entries()) {
      const sigmaAt = (t: number) => Math.sqrt((1 - alphaBar[t]) / alphaBar[t])
      const here = Math.abs(Math.log(sigmaAt(timestep) / sigmas[i]))
      for (const other of [timestep - 1, timestep + 1].filter((t) => t >= 0 && t < 1000)) {
        expect(here).toBeLessThanOrEqual(Math.abs(Math.log(sigmaAt(other) / sigmas[i])) + 1e-12)
      }
    }
  })

  test('lambdaMin leaves out timesteps with less signal', () => {
    const lambda = (t: number) => 0.5 * Math.log(alphaBar[t] / (1 - alphaBar[t]))
    const { timesteps } = dpmSteps({ alphaBar, numSteps: 4, spacing: 'linspace', lambdaMin: lambda(500) })
    expect(timesteps[0]).toBe(500)
  })
})
