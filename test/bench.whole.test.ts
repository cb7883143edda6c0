import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareRows } from '../bench/agreement.js'
import { CASES, chooseCases } from '../bench/cases.js'
import type { DdpRow } from '../bench/ddp/run-ddp.js'
import { type EngineName, rowsOf } from '../bench/engines.js'
import { disagreements as metricsDisagreements, type MetricsRow, metricsTable } from '../bench/metrics/run-metrics.js'
import { parseOptions } from '../bench/options.js'
import { type BlocksRow, PARTS } from '../bench/blocks/run-blocks.js'
import { solverCostTable, type SolverCostRow } from '../bench/solver-cost/run-solver-cost.js'
import { SOLVERS } from '../bench/solver-cost/solvers.js'
import type { Measured } from '../bench/run-case.js'
import { median, spread } from '../bench/statistics.js'
import { caseTable } from '../bench/table.js'

const root = join(import.meta.dirname, '..')
// The packages' sources, as in the other tests: no build is needed.
const node = ['--conditions=@dit/source', '--import', './tools/typescript.mjs', 'bench/main.ts']

describe('a run of the smallest case on two engines', () => {
  let folder: string
  let output: string
  let record: { machine: { cores: number }; results: Measured[]; skipped: unknown[]; disagreements: unknown[] }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dit-bench-test-'))
    const json = join(folder, 'results.json')
    const options = ['--cases', 'train-step-tiny', '--engines', 'tfjs-wasm-plain,reference', '--rounds', '2']
    const { stdout } = await promisify(execFile)(process.execPath, [...node, ...options, '--json', json], { cwd: root })
    output = stdout
    record = JSON.parse(readFileSync(json, 'utf8')) as typeof record
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('writes a record of each engine', () => {
    expect(record.results.map(({ case: name, engine, threads }) => [name, engine, threads])).toEqual([
      ['train-step-tiny', 'tfjs-wasm-plain', 1],
      ['train-step-tiny', 'reference', 1],
    ])
    for (const { timesMs, medianMs, spreadMs, gflops, peakBytes, stateBytes } of record.results) {
      expect(timesMs).toHaveLength(2)
      expect(medianMs).toBeCloseTo((timesMs[0] + timesMs[1]) / 2)
      expect(spreadMs).toBeCloseTo(Math.abs(timesMs[0] - timesMs[1]) / 2)
      expect(gflops).toBeCloseTo(0.0224 / (medianMs / 1000), 1)
      expect(peakBytes).toBeGreaterThan(stateBytes)
    }
    expect(record.machine.cores).toBeGreaterThan(0)
    expect(record.skipped).toEqual([])
  })

  test('finds that plain tfjs and the reference compute the same, and prints the ratio', () => {
    expect(record.disagreements).toEqual([])
    expect(output).toMatch(
      /checked: largest difference 0\.\d+ of the tolerance \(0\.0005 in float32, over 1 \+ the figure\)/,
    )
    expect(output).toMatch(/vs tfjs-wasm-plain\n.*tfjs-wasm-plain .* 1\.00x\n.*reference .*x\n/)
  })
})

test('measures of features agree between engines, and a record says what they took', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dit-bench-metrics-test-'))
  try {
    const json = join(folder, 'results.json')
    const options = ['--cases', 'metrics-tiny', '--engines', 'cpu-wasm,cpu-native', '--threads', '1']
    const { stdout } = await promisify(execFile)(process.execPath, [...node, ...options, '--json', json], { cwd: root })
    const { metrics, disagreements } = JSON.parse(readFileSync(json, 'utf8')) as {
      metrics: MetricsRow[]
      disagreements: string[]
    }
    expect(disagreements).toEqual([])
    const native = metrics.filter(({ program, kind }) => program === 'native' && kind === 'pooled')
    expect(native.map(({ name, count }) => `${name} of ${count}`)).toEqual([
      'fid of 1200',
      'prdc-5 of 1200',
      'kid of 1200',
      'authenticity of 1200',
      'prdc-3 of 200',
      'prdc-5 of 200',
    ])
    expect(metrics).toHaveLength(2 * (6 + 3))
    for (const { peakBytes, values } of metrics) {
      expect(peakBytes).toBeGreaterThan(0)
      expect(values.every(Number.isFinite)).toBe(true)
    }
    expect(stdout).toContain('metrics, collapsed features of 24 numbers, 1 threads')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a measure that differs between programs is told, and costs the exit code', () => {
  const row = { name: 'fid', count: 9, seconds: 1, cpuSeconds: 1, peakBytes: 1, addedBytes: null, what: 'x' }
  const rows: MetricsRow[] = [
    { ...row, values: [2], kind: 'pooled', width: 3, program: 'native', threads: 1 },
    { ...row, values: [2.001], kind: 'pooled', width: 3, program: 'wasm', threads: 1 },
    { ...row, values: [2.01], kind: 'pooled', width: 3, program: 'python', threads: 1, cpuSeconds: 4 },
  ]
  expect(metricsDisagreements(rows)).toEqual(['fid of 9: python has 2.01, native 2'])
  expect(metricsTable('pooled', rows)).toMatch(/native \(x\) .* 4\.00 of CPU/)
})

test('the case metrics needs an engine of ours', () => {
  expect(() => parseOptions(['--cases', 'metrics', '--engines', 'tfjs-wasm'])).toThrow(
    'bench: metrics measures cpu-wasm and cpu-native (got tfjs-wasm)',
  )
})

test('two workers are compared with one, and a record says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dit-bench-test-'))
  try {
    const json = join(folder, 'results.json')
    const options = ['--cases', 'ddp-tiny', '--engines', 'cpu-wasm', '--rounds', '2', '--json', json]
    const { stdout } = await promisify(execFile)(process.execPath, [...node, ...options], { cwd: root })
    const { ddp } = JSON.parse(readFileSync(json, 'utf8')) as { ddp: DdpRow[] }
    expect(ddp.slice(0, 4).map(({ name }) => name)).toEqual([
      'one worker',
      'two that are apart',
      '2 threads',
      '2 threads, sharded optimizer',
    ])
    expect(ddp[0]).toMatchObject({ engine: 'wasm', tokens: 16, speedup: 1, best: 1, waitShare: 0 })
    for (const { seconds, examples, speedup } of ddp) {
      // Of the three steps of a turn the first is not timed.
      expect(seconds).toHaveLength(4)
      expect(examples).toBeGreaterThan(0)
      expect(speedup).toBeGreaterThan(0)
    }
    expect(stdout).toMatch(/all-reduce of 0\.25 MiB, 2 threads: \S+ GiB\/s\n/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('parts of blocks are compared with plain ones of the same round', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dit-bench-test-'))
  try {
    const json = join(folder, 'results.json')
    const options = [
      '--cases',
      'blocks-tiny',
      '--engines',
      'cpu-wasm,tfjs-wasm-plain',
      '--threads',
      '1',
      '--rounds',
      '1',
    ]
    await promisify(execFile)(process.execPath, [...node, ...options, '--json', json], { cwd: root })
    const { blocks } = JSON.parse(readFileSync(json, 'utf8')) as { blocks: BlocksRow[] }
    expect(blocks.map(({ engine, parts }) => [engine, parts])).toEqual(
      Object.keys(PARTS).map((parts) => ['cpu-wasm', parts]),
    )
    for (const { stepMs, ratio } of blocks) expect(ratio).toBeCloseTo(stepMs / blocks[0].stepMs, 6)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('every solver is compared with the calls that it makes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dit-bench-test-'))
  try {
    const json = join(folder, 'results.json')
    const options = ['--cases', 'solver-cost-tiny', '--engines', 'tfjs-wasm-plain,reference', '--rounds', '1']
    const { stdout } = await promisify(execFile)(process.execPath, [...node, ...options, '--json', json], { cwd: root })
    const { solverCost } = JSON.parse(readFileSync(json, 'utf8')) as { solverCost: SolverCostRow[] }
    expect(solverCost.map(({ solver }) => solver)).toEqual(SOLVERS.map(({ name }) => name))
    for (const { engine, stepMs, forwardMs, callsPerStep, percent } of solverCost) {
      expect(engine).toBe('reference')
      expect(percent).toBeCloseTo((100 * stepMs) / (callsPerStep * forwardMs), 6)
    }
    const calls = (name: string) => solverCost.find(({ solver }) => solver === name)!.callsPerStep
    expect(['euler', 'heun', 'rungeKutta classic4', 'plms', 'heun with churn'].map(calls)).toEqual([
      1,
      2,
      4,
      21 / 20,
      39 / 20,
    ])
    expect(stdout).toMatch(/solver-cost on reference: a call is a forward pass of \S+ ms\n +solver +calls a step/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a solver above 2 % of its calls is marked', () => {
  const cost = (solver: string, percent: number) => ({
    solver,
    percent,
    callsPerStep: 1,
    stepMs: percent / 10,
    forwardMs: 10,
    spread: 0,
  })
  const text = solverCostTable('cpu-native x1', [cost('cheap', 1.99), cost('dear', 2.01)])
  expect(text).toContain('solver-cost on cpu-native x1: a call is a forward pass of 10.0 ms')
  expect(text).toMatch(/cheap +1\.00 +0\.199 +1\.990 +0\.000 +\n/)
  expect(text).toMatch(/dear +1\.00 +0\.201 +2\.010 +0\.000 +above 2 %\n +1 above 2 %$/)
  expect(solverCostTable('reference', [cost('cheap', 1)])).toMatch(/none above 2 %$/)
})

test('a run that could give nothing is refused before it begins', () => {
  expect(() => parseOptions(['--cases', 'ddpp'])).toThrow(
    /^bench: no case ddpp \(.*, ddp, ddp-256, ddp-tiny, solver-cost, solver-cost-tiny, blocks, blocks-256, blocks-tiny, metrics, metrics-10k, metrics-tiny\)$/,
  )
  expect(() => parseOptions(['--cases', 'solver-cost', '--engines', 'tfjs-wasm-plain'])).toThrow(
    "bench: solver-cost measures dit's own engines (got tfjs-wasm-plain)",
  )
  expect(() => parseOptions(['--cases', 'blocks', '--engines', 'tfjs-wasm-plain'])).toThrow(
    "bench: blocks measures dit's own engines (got tfjs-wasm-plain)",
  )
  expect(() => parseOptions(['--cases', 'ddp', '--engines', 'tfjs-wasm'])).toThrow(
    'bench: ddp measures cpu-wasm and cpu-native (got tfjs-wasm)',
  )
})

describe('when engines compute different things', () => {
  const row = (engine: EngineName, values: number[] | null) => ({ engine, threads: 1, values })
  const even = { f32: [1e-2, 1e-2], bf16: [0.1, 0.1] }

  test('engines of bfloat16 have a tolerance of their own, and are compared with one of float32', () => {
    const rows = [row('pytorch-bf16', [1.1, 3]), row('cpu-native-bf16', [1, 3.2]), row('cpu-native', [1, 3])]
    expect(compareRows(rows, even).complaints).toEqual([])
    const { complaints } = compareRows([row('cpu-native-bf16', [1.3, 3]), row('pytorch', [1, 3])], even)
    expect(complaints).toEqual([
      expect.stringMatching(/^cpu-native-bf16 x1 is 1\.5\d* times the tolerance away from pytorch x1/),
    ])
  })

  test('a difference within the tolerance is none', () => {
    expect(compareRows([row('tfjs-wasm', [1, 3]), row('reference', [1.01, 3])], even).complaints).toEqual([])
  })

  test.each([
    ['a difference beyond it', [1.03, 3]],
    ['a figure that is missing', [1]],
    ['a figure that is not finite', [NaN, 3]],
  ])('%s is told', (_, values) => {
    const { complaints } = compareRows([row('tfjs-wasm', [1, 3]), row('reference', values)], even)
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).toMatch(/^reference is \S+ times the tolerance away from tfjs-wasm: /)
  })

  test('engines with draws of their own are not compared', () => {
    const tolerance = { f32: [1e-6], bf16: [1e-2] }
    expect(compareRows([row('tfjs-wasm', null), row('reference', [1])], tolerance)).toEqual({
      worst: 0,
      complaints: [],
    })
  })

  test('the table has no ratios', () => {
    const measured = { engine: 'reference', threads: 1, medianMs: 1, spreadMs: 0, gflops: null, coresUsed: 1 }
    const memory = { peakBytes: 0, isPeakReset: true, stateBytes: 0, idleBytes: 0, backendPeakBytes: null }
    const rows = [{ case: 'rng', description: '', timesMs: [1], checked: null, ...measured, ...memory }]
    const [item] = chooseCases(['rng'])
    const text = caseTable(item, rows, { worst: 5, complaints: ['they differ'] }, 'reference')
    expect(text).toContain('NO RATIOS, the engines do not compute the same:\n  they differ')
    expect(text).not.toContain('1.00x')
  })
})

test('a train step of DiT-S on 8 x 64 tokens is 67.6 GFLOP', () => {
  expect(CASES.find(({ name }) => name === 'train-step-64')!.flops! / 1e9).toBeCloseTo(67.6, 1)
})

test('a group stands for its cases, and an unknown name is an error', () => {
  expect(chooseCases(['gemm', 'rng']).map(({ name }) => name)).toEqual(['gemm-nn', 'gemm-nt', 'gemm-tn', 'rng'])
  expect(chooseCases(null).some(({ group }) => group === 'extra')).toBe(false)
  expect(() => chooseCases(['gem'])).toThrow('bench: no case gem (there are train-step-64, ')
})

test('only engines that take threads run with several numbers of them', () => {
  expect(rowsOf(['tfjs-wasm', 'cpu-wasm'], [1, 2])).toEqual([
    { engine: 'tfjs-wasm', threads: 1 },
    { engine: 'cpu-wasm', threads: 1 },
    { engine: 'cpu-wasm', threads: 2 },
  ])
})

test('median and spread are quartiles between neighbours', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(spread([5, 1, 4, 2, 3])).toBe(2) // 4 - 2
  expect(() => median([])).toThrow('quantile: there must be at least one value (got none)')
})
