import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { parseOptions } from '../settings/config-file.js'
import { didYouMean } from '../settings/suggest.js'
import { addTrainOptions, type TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'

/** One learning rate for each size: `rate (hidden / atHidden)^power`. */
export interface RateRule {
  readonly rate: number
  readonly atHidden: number
  readonly power: number
}

/** What `dit scaling run` trains: options that all runs share, networks, and budgets. */
export interface Grid {
  /** Options of `dit train`, with their names in camel case. */
  readonly train: TrainFlags
  readonly models: readonly GridModel[]
  /** Multiply-adds of a training, three forward passes an example. */
  readonly budgets: readonly number[]
  /** Default: those of `train`, or 0. */
  readonly seeds: readonly number[]
  readonly learningRate: RateRule | null
  /** Points that are trained with further seeds. */
  readonly repeats: readonly GridRepeat[]
  /** Points that are left out. */
  readonly skip: readonly GridPoint[]
}

/** A network of the grid, with options of its own. */
export interface GridModel {
  readonly name: string
  readonly flags: TrainFlags
  /** Of a network that a module makes: what its forward pass costs. */
  readonly multiplyAdds?: number
}

export interface GridPoint {
  readonly model: string
  readonly budget: number
}

export interface GridRepeat extends GridPoint {
  readonly seeds: readonly number[]
}

const KEYS = ['train', 'models', 'budgets', 'seeds', 'learningRate', 'repeats', 'skip']
/** Options that the grid decides for each run, or that one process cannot have. */
const TAKEN = {
  steps: 'the budgets decide the steps',
  minutes: 'the budgets decide the steps',
  epochs: 'the budgets decide the steps',
  out: 'each run has its folder in that of the results',
  resume: 'runs are resumed by themselves',
  seed: 'give "seeds"',
  workers: 'runs are trained one after the other in one process',
  mpirun: 'runs are trained one after the other in one process',
  maxRestarts: 'runs are trained one after the other in one process',
  json: 'it belongs on the command line',
  quiet: 'it belongs on the command line',
} as const

/**
 * Reads and checks a grid.
 *
 * @throws UsageError that names the file, the key and what is wrong there
 */
export async function readGrid(path: string): Promise<Grid> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UsageError(
      `${path}: ${(cause as NodeJS.ErrnoException).code === 'EISDIR' ? 'this is a folder; give the file of a grid' : 'there is no such file'}`,
      { cause },
    )
  })
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw new UsageError(`${path} is not valid JSON: ${(cause as Error).message}`, { cause })
  }
  return checkGrid(path, value)
}

export function checkGrid(path: string, value: unknown): Grid {
  const grid = objectIn(path, 'the file', value)
  for (const key of Object.keys(grid)) {
    if (key !== '$schema' && !KEYS.includes(key))
      throw new UsageError(`${path}: unknown key "${key}"${didYouMean(key, KEYS)}`)
  }
  const train = flagsIn(path, 'train', objectIn(path, 'train', grid.train))
  const models = listIn(path, 'models', grid.models).map((model, i) => modelIn(path, `models[${i}]`, model))
  const budgets = listIn(path, 'budgets', grid.budgets).map((budget, i) => amountIn(path, `budgets[${i}]`, budget))
  const seeds =
    grid.seeds === undefined ? [0] : listIn(path, 'seeds', grid.seeds).map((seed) => seedIn(path, 'seeds', seed))
  checkDifferent(
    path,
    'models',
    models.map(({ name }) => name),
  )
  checkDifferent(path, 'budgets', budgets)
  checkDifferent(path, 'seeds', seeds)
  const pointIn = (key: string, point: unknown): GridPoint => {
    const { model, budget, ...more } = objectIn(path, key, point)
    const allowed = ['model', 'budget', ...(key.startsWith('repeats') ? ['seeds'] : [])]
    const unknown = Object.keys(more).find((name) => !allowed.includes(name))
    if (unknown !== undefined)
      throw new UsageError(`${path}: ${key}: unknown key "${unknown}"${didYouMean(unknown, allowed)}`)
    if (!models.some(({ name }) => name === model))
      throw new UsageError(
        `${path}: ${key}: "model" must be the name of one of the models (got ${JSON.stringify(model)})`,
      )
    if (!budgets.includes(budget as number))
      throw new UsageError(`${path}: ${key}: "budget" must be one of the budgets (got ${JSON.stringify(budget)})`)
    return { model: model as string, budget: budget as number }
  }
  const list = (key: string) => (grid[key] === undefined ? [] : listIn(path, key, grid[key]))
  return {
    train,
    models,
    budgets,
    seeds,
    learningRate: grid.learningRate === undefined ? null : ruleIn(path, grid.learningRate),
    repeats: list('repeats').map((repeat, i) => {
      const more = listIn(path, `repeats[${i}].seeds`, objectIn(path, `repeats[${i}]`, repeat).seeds)
      return {
        ...pointIn(`repeats[${i}]`, repeat),
        seeds: more.map((seed) => seedIn(path, `repeats[${i}].seeds`, seed)),
      }
    }),
    skip: list('skip').map((point, i) => pointIn(`skip[${i}]`, point)),
  }
}

function modelIn(path: string, key: string, value: unknown): GridModel {
  const { name, multiplyAdds, ...flags } = objectIn(path, key, value)
  if (typeof name !== 'string' || !/^[\w.]+$/.test(name))
    throw new UsageError(
      `${path}: ${key}: "name" must be letters, digits, dots or underscores (got ${JSON.stringify(name)})`,
    )
  return {
    name,
    flags: flagsIn(path, key, flags),
    ...(multiplyAdds === undefined ? {} : { multiplyAdds: amountIn(path, `${key}.multiplyAdds`, multiplyAdds) }),
  }
}

/** Options of `dit train`, checked as those of its config files are. */
function flagsIn(path: string, key: string, values: Record<string, unknown>): TrainFlags {
  for (const [name, why] of Object.entries(TAKEN)) {
    if (values[name] !== undefined) throw new UsageError(`${path}: ${key}: "${name}" cannot be given here: ${why}`)
  }
  return parseOptions<TrainFlags>(`${path}: ${key}`, values, addTrainOptions(new Command()))
}

function ruleIn(path: string, value: unknown): RateRule {
  const { rate, atHidden, power, ...others } = objectIn(path, 'learningRate', value)
  const [stray] = Object.keys(others)
  if (stray !== undefined)
    throw new UsageError(`${path}: learningRate: unknown key "${stray}"; it has rate, atHidden and power`)
  if (typeof power !== 'number' || !Number.isFinite(power))
    throw new UsageError(`${path}: learningRate: "power" must be a number, such as -0.5 (got ${JSON.stringify(power)})`)
  return {
    rate: amountIn(path, 'learningRate.rate', rate),
    atHidden: amountIn(path, 'learningRate.atHidden', atHidden),
    power,
  }
}

function objectIn(path: string, key: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new UsageError(`${path}: ${key} must be an object (got ${JSON.stringify(value) ?? 'nothing'})`)
}

function listIn(path: string, key: string, value: unknown): unknown[] {
  if (Array.isArray(value) && value.length > 0) return value
  throw new UsageError(`${path}: "${key}" must be a list that is not empty (got ${JSON.stringify(value) ?? 'nothing'})`)
}

function amountIn(path: string, key: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value
  throw new UsageError(`${path}: ${key} must be a number above 0 (got ${JSON.stringify(value) ?? 'nothing'})`)
}

function seedIn(path: string, key: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw new UsageError(`${path}: ${key} must hold whole numbers, 0 or more (got ${JSON.stringify(value)})`)
}

function checkDifferent(path: string, key: string, values: readonly unknown[]): void {
  const twice = values.find((value, i) => values.indexOf(value) !== i)
  if (twice !== undefined) throw new UsageError(`${path}: "${key}" has ${JSON.stringify(twice)} twice`)
}
