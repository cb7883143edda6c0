import { expect, test } from 'vitest'
import { diffusionTables, directBetas, logSnr, namedBetas, snr } from '../src/index.js'

test('gives the values worked by hand', () => {
  const tables = diffusionTables([0.2, 0.375]) // alphaBar 0.8, 0.5
  expect(snr(tables)[0]).toBeCloseTo(4, 14)
  expect(snr(tables)[1]).toBeCloseTo(1, 14)
  expect(logSnr(tables)[0]).toBeCloseTo(Math.log(4), 14)
  expect(logSnr(tables)[1]).toBeCloseTo(0, 14)
})

test('the logarithm agrees with the ratio, and both fall', () => {
  const tables = diffusionTables(namedBetas('squaredcos_cap_v2', 1000))
  const ratio = snr(tables)
  const log = logSnr(tables)
  for (let i = 0; i < 1000; i++) {
    expect(log[i]).toBeCloseTo(Math.log(ratio[i]), 11)
  }
  for (let i = 1; i < 1000; i++) expect(ratio[i]).toBeLessThan(ratio[i - 1])
})

test('ends in 0 and -Infinity where no signal is left', () => {
  const tables = diffusionTables(directBetas('jsd', { numTimesteps: 4, betaStart: 0, betaEnd: 0 }))
  expect(snr(tables)[3]).toBe(0)
  expect(logSnr(tables)[3]).toBe(-Infinity)
})
