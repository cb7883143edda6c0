import { type Backend, reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { checkNode } from '../src/doctor/check-machine.js'
import { findingLines, isHealthy } from '../src/doctor/finding.js'
import { checkKernels, relativeError } from '../src/doctor/kernel-check.js'
import { ENGINE_NAMES } from '../src/engines/names.js'
import { runDit, runProcess } from './support/run-dit.js'

interface Report {
  readonly ok: boolean
  readonly engines: readonly { readonly name: string; readonly details: { readonly largestError: number } }[]
}

test('lists what is there, and is content where the engine works', async () => {
  const { code, stdout, stderr } = await runDit(['doctor', '--backend', 'tfjs-wasm'])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).toMatch(/node +ok +\d+\./)
  expect(stdout).toMatch(/sharp +ok/)
  expect(stdout).toMatch(/tfjs-wasm +ok +4\.\S+ \(simd128, \d+ threads?\), largest kernel error \S+ against float64/)
})

test('--json has every check with its details', async () => {
  const { code, stdout } = await runProcess(['doctor', '--json'])
  expect(code).toBe(0)
  const report = JSON.parse(stdout) as Report
  expect(report.ok).toBe(true)
  expect(report.engines.map(({ name }) => name)).toEqual([...ENGINE_NAMES])
  // float32, sums of 96 products through three kernels
  expect(report.engines[0].details.largestError).toBeLessThan(1e-4)
})

test('an engine whose kernels are wrong is found out', async () => {
  const right = reference()
  expect(await checkKernels(right)).toMatchObject({ largestError: 0, isRight: true })
  const wrong: Backend = {
    ...right,
    async download(view) {
      const values = await right.download(view)
      values[0] += 0.1
      return values
    },
  }
  expect(await checkKernels(wrong)).toMatchObject({ isRight: false })
})

test('relative errors are over the largest value, and infinite for what is not a number', () => {
  expect(relativeError(Float32Array.of(1, 2, 3), Float32Array.of(1, 2, 4))).toBe(0.25)
  expect(relativeError(Float32Array.of(1, NaN), Float32Array.of(1, 2))).toBe(Infinity)
})

test('only what is needed makes it unhappy, and a missing engine comes with its install line', () => {
  const missing = { name: 'tfjs-cpu', status: 'missing', text: 'not installed', fix: 'npm install x' } as const
  expect(isHealthy([missing, { name: 'webgpu', status: 'planned', text: '' }])).toBe(true)
  expect(isHealthy([{ name: 'tfjs-wasm', status: 'fail', text: '' }])).toBe(false)
  expect(findingLines([missing]).join('\n')).toMatch(/tfjs-cpu +missing +not installed\n +fix: npm install x/)
  expect([checkNode('20.18.3'), checkNode('20.19.0'), checkNode('24.1.0')].map(({ status }) => status)).toEqual([
    'fail',
    'ok',
    'ok',
  ])
})
