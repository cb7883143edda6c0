import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reference, tensor, toFloat32Array } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { FACTORS, toleranceFactor } from '../tools/parity/factors.js'
import { evaluate } from '../tools/parity/formula.js'
import type { Case, Manifest } from '../tools/parity/manifest.js'
import { isKnown, runCase } from '../tools/parity/run-case.js'

const folderNamed = (name: string) => join(import.meta.dirname, '../tools/parity', name)
const casesOf = (folder: string) => (JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest).cases
const folder = folderNamed('fixtures')
const cases = casesOf(folder)
const caseNamed = (id: string) => cases.find(({ kind, name }) => `${kind}/${name}` === id)!

describe.each(['fixtures', 'fixtures-flow', 'fixtures-metrics'])('%s on reference', (name) => {
  const backend = reference()
  const folder = folderNamed(name)
  for (const entry of casesOf(folder)) {
    // Of the newer sets, kinds that nobody computes yet are skipped.
    test.skipIf(name !== 'fixtures' && !isKnown(entry.kind))(`${entry.kind}/${entry.name}`, async () => {
      const { status, worst, where } = await runCase(folder, entry, backend)
      expect(`${status}: ${worst} at ${where}`).toMatch(/^ok/)
    })
  }
})

const run = (change: (entry: Case) => Case, id = 'dit-forward/faint-tokens') =>
  runCase(folder, change(structuredClone(caseNamed(id))), reference())

describe('the runner can fail', () => {
  test('on a kind that it does not know', async () => {
    const result = await run((entry) => ({ ...entry, kind: 'surprise' }))
    expect(result).toMatchObject({ status: 'unknown', where: 'unknown kind surprise' })
  })

  test('on a tensor that nobody computes', async () => {
    const extra = { name: 'out.surprise', role: 'expected', shape: [1], tolerance: 'exact' } as const
    const result = await run((entry) => ({ ...entry, tensors: [...entry.tensors!, extra] }))
    expect(result).toMatchObject({ status: 'FAIL', where: 'out.surprise was not computed' })
  })

  test('on a file that is not the described one', async () => {
    const result = await run((entry) => ({ ...entry, sha256: '0'.repeat(64) }))
    expect(result.where).toContain('is not the file that the manifest describes')
  })

  test('on a wrong formula: another epsilon, other heads, another schedule', async () => {
    const heads = await run((entry) => ({
      ...entry,
      config: { ...entry.config, model: { ...entry.config.model, num_heads: 2 } },
    }))
    expect(heads.status).toBe('FAIL')
    const schedule = await run(
      (entry) => ({ ...entry, config: { ...entry.config, schedule: 'squaredcos_cap_v2' } }),
      'diffusion-constants/linear-100',
    )
    expect(schedule.status).toBe('FAIL')
  })

  test('on a fact that does not hold', async () => {
    const result = await run((entry) => {
      const [first, ...rest] = entry.facts
      return { ...entry, facts: [{ ...first, steps: [1] }, ...rest] }
    }, 'respace/space-timesteps')
    expect(result.status).toBe('FAIL')
  })
})

describe('factors of tolerances', () => {
  test('each kind of case has one on WebGPU: the smallest power of two that holds, at most 16', () => {
    const kinds = new Set([...cases, ...casesOf(folderNamed('fixtures-flow'))].map(({ kind }) => kind))
    expect(Object.keys(FACTORS['webgpu']).toSorted()).toEqual([...kinds].toSorted())
    for (const [kind, { factor, largest }] of Object.entries(FACTORS['webgpu'])) {
      expect(factor, kind).toBe(Math.max(1, 2 ** Math.ceil(Math.log2(largest))))
      expect(factor, kind).toBeLessThanOrEqual(16)
    }
  })

  test('engines of the CPU have none', () => {
    for (const engine of ['reference', 'cpu-wasm', 'cpu-native']) expect(toleranceFactor(engine, 'sampling')).toBe(1)
    expect(Object.keys(FACTORS)).toEqual(['webgpu'])
  })
})

describe('formulas', () => {
  const backend = reference()
  const x = tensor([2, 4], [2], { backend })
  const value = async (text: string) => [...(await toFloat32Array(evaluate(text, { x }, backend)))]

  test('follow precedence, parentheses and unary minus', async () => {
    expect(await value('1 + 2 * x - x / 4')).toEqual([4.5, 8])
    expect(await value('-0.5 * (x - 1)')).toEqual([-0.5, -1.5])
  })

  test('know whole powers, functions and numbers before what they multiply', async () => {
    expect(await value('3 x^2 - 1')).toEqual([11, 47])
    expect(await value('0.5 * sqrt(x * x)')).toEqual([1, 2])
    expect(await value('1 / (1 + x^2)')).toEqual([Math.fround(0.2), Math.fround(1 / 17)])
  })

  test.each(['x +', '(x', 'y', 'x x', 'x ^ 0.5', 'tanh x'])('%s is refused', (text) => {
    expect(() => evaluate(text, { x }, backend)).toThrow('formula:')
  })
})
