import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type BenchCase, CASES, chooseCases } from './cases.js'
import { METRICS_CASES, type MetricsSize } from './metrics/run-metrics.js'
import { DEFAULT_ENGINES, ENGINE_NAMES, type EngineName, FOREIGN_ENGINES, PYTORCH_ENGINES } from './engines.js'

/** What a run of the bench does. */
export interface BenchOptions {
  readonly cases: readonly BenchCase[]
  readonly engines: readonly EngineName[]
  readonly threads: readonly number[]
  readonly rounds: number
  readonly budgetSeconds: number
  readonly baseline: EngineName
  readonly python: string | null
  readonly json: string | null
  /** The cases `ddp`, which compare jobs of workers instead of engines: tokens of a picture, or a model for tests. */
  readonly ddp: readonly (64 | 256 | 'tiny')[]
  /** The cases `solver-cost`, which compare solvers instead of engines. */
  readonly solverCost: readonly ('small' | 'tiny')[]
  /** The cases `blocks`, which compare what blocks are made of instead of engines: tokens of a picture, or a model for tests. */
  readonly blocks: readonly (64 | 256 | 'tiny')[]
  /** The cases `metrics`, which measure sets of features on the products of `@dit/backend-cpu/float64`. */
  readonly metrics: readonly MetricsSize[]
}

const DDP_CASES: Readonly<Record<string, 64 | 256 | 'tiny'>> = { ddp: 64, 'ddp-256': 256, 'ddp-tiny': 'tiny' }

const BLOCKS_CASES: Readonly<Record<string, 64 | 256 | 'tiny'>> = {
  blocks: 64,
  'blocks-256': 256,
  'blocks-tiny': 'tiny',
}

const SOLVER_COST_CASES: Readonly<Record<string, 'small' | 'tiny'>> = {
  'solver-cost': 'small',
  'solver-cost-tiny': 'tiny',
}

const named = (isExtra: boolean) =>
  CASES.filter(({ group }) => (group === 'extra') === isExtra)
    .map(({ name }) => name)
    .join(', ')

export const USAGE = `npm run bench -- [options]

  --cases A,B      cases or groups of them (default: ${named(false)};
                   only by name: ${named(true)}, ddp, ddp-256, two workers against one,
                   solver-cost, what solvers cost beside the network,
                   blocks, blocks-256, what RoPE, QK norm, RMS norm and SwiGLU cost,
                   and metrics, metrics-10k: FID, KID, precision and recall of 50,000 and 10,000 features)
  --engines A,B    ${ENGINE_NAMES.join(', ')}
                   (default: ${DEFAULT_ENGINES.join(', ')}, and pytorch with --pytorch)
  --threads 1,2    numbers of threads for the engines that take one (default: 1 and all cores)
  --rounds N       timed repetitions of each engine (default: 9)
  --budget S       seconds after which an engine has done enough rounds of a case, once it has done three (default: 60)
  --baseline NAME  engine that the others are compared with (default: tfjs-wasm-plain)
  --pytorch PATH   a Python interpreter that has torch; for metrics numpy, scipy and prdc
  --json FILE      writes the results`

/**
 * Reads the command line; null where it asks for help.
 *
 * @throws RangeError or TypeError for what cannot be
 */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cases: { type: 'string' },
      engines: { type: 'string' },
      threads: { type: 'string' },
      rounds: { type: 'string', default: '9' },
      budget: { type: 'string', default: '60' },
      baseline: { type: 'string', default: 'tfjs-wasm-plain' },
      pytorch: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const python = values.pytorch ?? null
  const engines = listOf(values.engines)?.map(engineName) ?? [
    ...DEFAULT_ENGINES,
    ...(python === null ? [] : ['pytorch' as const]),
  ]
  const torch = engines.find((name) => PYTORCH_ENGINES.includes(name))
  if (torch !== undefined && python === null) {
    throw new RangeError(`bench: the engine ${torch} needs --pytorch, a Python interpreter that has torch`)
  }
  const names = listOf(values.cases)
  const apart = { ...DDP_CASES, ...SOLVER_COST_CASES, ...BLOCKS_CASES, ...METRICS_CASES }
  const others = names?.filter((name) => !(name in apart)) ?? null
  const solverCost = names?.flatMap((name) => SOLVER_COST_CASES[name] ?? []) ?? []
  const blocks = names?.flatMap((name) => BLOCKS_CASES[name] ?? []) ?? []
  const metrics = names?.flatMap((name) => METRICS_CASES[name] ?? []) ?? []
  const ddp = names?.flatMap((name) => DDP_CASES[name] ?? []) ?? []
  if (ddp.length > 0 && !engines.some((name) => name === 'cpu-wasm' || name === 'cpu-native')) {
    throw new RangeError(`bench: ddp measures cpu-wasm and cpu-native (got ${engines.join(', ')})`)
  }
  if (solverCost.length + blocks.length > 0 && engines.every((name) => FOREIGN_ENGINES.includes(name))) {
    const name = solverCost.length > 0 ? 'solver-cost' : 'blocks'
    throw new RangeError(`bench: ${name} measures dit's own engines (got ${engines.join(', ')})`)
  }
  if (metrics.length > 0 && !engines.some((name) => name === 'cpu-wasm' || name === 'cpu-native')) {
    throw new RangeError(`bench: metrics measures cpu-wasm and cpu-native (got ${engines.join(', ')})`)
  }
  const threads = listOf(values.threads)?.map((text) => positive('threads', text)) ?? [1, availableParallelism()]
  return {
    cases: others?.length === 0 ? [] : chooseCases(others, Object.keys(apart)),
    ddp,
    solverCost,
    blocks,
    metrics,
    engines,
    threads: [...new Set(threads)],
    rounds: positive('rounds', values.rounds),
    budgetSeconds: positive('budget', values.budget),
    baseline: engineName(values.baseline),
    python,
    json: values.json ?? null,
  }
}

function listOf(text: string | undefined): string[] | null {
  return text === undefined ? null : text.split(',').map((item) => item.trim())
}

function engineName(text: string): EngineName {
  const name = ENGINE_NAMES.find((name) => name === text)
  if (name === undefined) throw new RangeError(`bench: no engine ${text} (there are ${ENGINE_NAMES.join(', ')})`)
  return name
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`bench: ${name} must be a positive integer (got ${text})`)
  }
  return value
}
