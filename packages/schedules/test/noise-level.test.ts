import { describe, expect, test } from 'vitest'
import { diffusionTables, levelAtSnr, namedBetas, snr } from '../src/index.js'

const tables = diffusionTables(namedBetas('squaredcos_cap_v2', 1000))

describe('levelAtSnr', () => {
  test.each([100, 10, 1, 0.1, 0.01])('has the ratio %f and keeps the variance', (ratio) => {
    const { alpha, sigma } = levelAtSnr(tables, ratio)
    expect((alpha / sigma) ** 2 / ratio).toBeCloseTo(1, 12)
    expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 15)
  })

  test('lies at a timestep of the process where the ratio is that of one', () => {
    const ratios = snr(tables)
    for (const timestep of [1, 250, 998]) expect(levelAtSnr(tables, ratios[timestep]).timestep).toBeCloseTo(timestep, 6)
  })

  test('falls from timestep to timestep as the ratio does', () => {
    const ratios = snr(tables)
    const between = levelAtSnr(tables, Math.sqrt(ratios[400] * ratios[401]))
    expect(between.timestep).toBeCloseTo(400.5, 10)
  })

  test('tells the network the timesteps of the process that it knows', () => {
    const timestepMap = Int32Array.from({ length: 1000 }, (_, i) => 3 * i)
    expect(levelAtSnr(tables, 1, { timestepMap }).timestep).toBeCloseTo(3 * levelAtSnr(tables, 1).timestep, 10)
  })

  test('takes the nearest timestep and its own ratio for networks that know whole ones', () => {
    const { timestep } = levelAtSnr(tables, 1)
    const whole = levelAtSnr(tables, 1, { isWhole: true })
    expect(whole.timestep).toBe(Math.round(timestep))
    expect(whole.alpha ** 2).toBeCloseTo(tables.alphaBar[whole.timestep], 15)
  })

  test('refuses ratios that the process does not reach, and says which it has', () => {
    const short = diffusionTables(namedBetas('linear', 50))
    expect(() => levelAtSnr(short, 1e6)).toThrow(/has signal-to-noise ratios from \S+ to 499 \(got 1000000\)/)
    for (const wrong of [0, -1, Number.NaN]) expect(() => levelAtSnr(tables, wrong)).toThrow(RangeError)
  })
})
