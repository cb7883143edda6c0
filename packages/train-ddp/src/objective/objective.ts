import { type Backend, formatShape, type Params, sameShape, type Shape, type Tensor } from '@dit/tensor'
import type { TrainBatch } from '../batch.js'

/** What a parameter is. */
export interface ParameterSpec {
  readonly shape: Shape
  /** Whether training changes it (default true). */
  readonly isTrainable?: boolean
}

/** Parameters by name, in the order in which checkpoints hold them. */
export type ParameterTable = Readonly<Record<string, ParameterSpec>>

/** What was drawn for the examples of a global batch, in their order. */
export interface Drawn {
  /** `[B]`: how noisy each example is made. */
  readonly timesteps: Int32Array | Float32Array
  /** `[B]`: by which each example's loss is multiplied, 1 where timesteps are drawn uniformly. */
  readonly importanceWeights: Float32Array
}

/** Where a (micro-)batch stands in the run, and how it is computed. Random draws are functions of the first three. */
export interface Place {
  readonly seed: number
  /** Number of the step, from 1. */
  readonly step: number
  /** Place of the batch's first example in the global batch. */
  readonly start: number
  /** Blocks that are computed twice instead of stored: none, all, or the first so many. */
  readonly recompute: 'none' | 'block' | number
  readonly backend: Backend
}

/**
 * What a run learns: all that the trainer knows of networks, losses and noise. The trainer adds the rest: accumulation, workers,
 * clipping, the optimizer, averages, checkpoints and exact resume.
 *
 * The same arguments must give the same results: no hidden state, no clock, no unseeded randomness.
 */
export interface Objective<State = unknown> {
  /** What fixes the results: plain data, kept in checkpoints. A run resumes exactly only under an equal one. */
  readonly spec: object
  readonly parameters: ParameterTable
  /** Losses of each example, by name. `loss` is minimised; the means of all are logged. */
  readonly terms: readonly ['loss', ...string[]]
  /** Parts of the network that `recompute` may count (default 0: there is nothing to compute twice). */
  readonly blocks?: number
  /** Initial parameters, on the engine. The trainer disposes of them. */
  init(options: { readonly seed: number; readonly backend: Backend }): Params
  /**
   * Losses of the examples of a batch, `[B]` each, by the names in `terms`. Called inside `valueAndGrad`: every tensor made on
   * the way is freed by it.
   *
   * @param drawn for these examples, of what `draw` has given for the global batch
   */
  losses(params: Params, batch: TrainBatch, drawn: Drawn, at: Place): Readonly<Record<string, Tensor>>
  /** Throws where a batch is not what `losses` reads. Numbers of examples and values are checked already. */
  checkBatch?(batch: TrainBatch): void
  /** What `draw` knows before the first step: plain data, null by default. */
  readonly initialState?: State
  /** Draws for a global batch (default: timesteps 0, weights 1). Every worker calls it. */
  draw?(state: State, at: { readonly seed: number; readonly step: number; readonly batchSize: number }): Drawn
  /**
   * The state after a step (default: unchanged).
   *
   * @param losses `loss` of every example of the global batch, not weighted
   */
  learned?(state: State, drawn: Drawn, losses: Float32Array): State
}

/**
 * An objective as it is given, checked: write your own inside the call, and its functions have the types of their arguments.
 *
 * @throws RangeError or TypeError for one that cannot be trained
 */
export function defineObjective<State = null>(objective: Objective<State>): Objective<State> {
  completed(objective)
  return objective
}

/** Keys of a log's records that no term may be called. */
const TAKEN = ['step', 'gradNorm', 'learningRate', 'emaDecay', 'lossScale', 'examples', 'measures']

/**
 * An objective with everything in it that may be left out.
 *
 * @throws RangeError or TypeError for one that cannot be trained
 */
export function completed<State>(objective: Objective<State>): Required<Objective<State>> {
  if (typeof objective !== 'object' || objective === null) {
    throw new TypeError(
      `objective: it must be an object with spec, parameters, terms, init and losses (got ${typeof objective})`,
    )
  }
  const { spec, parameters, terms, blocks = 0 } = objective
  if (typeof parameters !== 'object' || parameters === null) {
    throw new TypeError('objective: parameters must be a table { name: { shape } }')
  }
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec) || !isPlain(spec)) {
    throw new TypeError('objective: spec must be an object of plain data, as JSON holds it')
  }
  checkState('initialState', objective.initialState ?? null)
  for (const name of ['init', 'losses'] as const) {
    if (typeof objective[name] !== 'function') throw new TypeError(`objective: ${name} must be a function`)
  }
  for (const [name, { shape }] of Object.entries(parameters)) {
    const isShape = Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent > 0)
    if (!isShape) throw new TypeError(`objective: ${name} of parameters must be { shape: [positive integers] }`)
  }
  if (terms?.[0] !== 'loss') throw new RangeError(`objective: terms must begin with loss (got ${String(terms)})`)
  const wrong = terms.find((term, i) => !isName(term) || TAKEN.includes(term) || terms.indexOf(term) !== i)
  if (wrong !== undefined) throw new RangeError(`objective: a term cannot be called ${wrong}, or occurs twice`)
  if (!Object.values(parameters).some(({ isTrainable = true }) => isTrainable)) {
    throw new RangeError('objective: there must be a parameter that can be trained')
  }
  if (!Number.isSafeInteger(blocks) || blocks < 0) {
    throw new RangeError(`objective: blocks must be an integer, 0 or more (got ${blocks})`)
  }
  return {
    spec,
    parameters,
    terms,
    blocks,
    init: (options) => checkedInit(parameters, objective.init(options)),
    losses: (params, batch, drawn, at) => objective.losses(params, batch, drawn, at),
    checkBatch: (batch) => objective.checkBatch?.(batch),
    initialState: objective.initialState ?? (null as State),
    draw: (state, at) => objective.draw?.(state, at) ?? nothingDrawn(at.batchSize),
    learned: (state, drawn, losses) =>
      objective.learned === undefined ? state : checkState('learned', objective.learned(state, drawn, losses)),
  }
}

function checkedInit(parameters: ParameterTable, params: Params): Params {
  for (const [name, { shape }] of Object.entries(parameters)) {
    const found = params[name]?.shape
    if (found !== undefined && sameShape(found, shape)) continue
    throw new RangeError(
      `objective: init must give ${name} as ${formatShape(shape)}, as in parameters (it gave ${found === undefined ? 'nothing' : formatShape(found)})`,
    )
  }
  const unknown = Object.keys(params).find((name) => !(name in parameters))
  if (unknown !== undefined) throw new RangeError(`objective: init gave ${unknown}, which is not in parameters`)
  return params
}

/** Throws unless a checkpoint can hold the state. */
function checkState<State>(where: string, state: State): State {
  if (state !== undefined && isPlain(state)) return state
  throw new TypeError(`objective: ${where} must give plain data, as JSON holds it`)
}

function isName(term: string): boolean {
  return typeof term === 'string' && term !== '' && term !== '__proto__'
}

/** Whether JSON keeps a value. */
function isPlain(value: unknown, depth = 0): boolean {
  // Deeper than this it refers to itself.
  if (depth > 100) return false
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  const isPlainBelow = (below: unknown) => isPlain(below, depth + 1)
  if (Array.isArray(value)) return value.every(isPlainBelow)
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isPlainBelow)
}

function nothingDrawn(batchSize: number): Drawn {
  return { timesteps: new Int32Array(batchSize), importanceWeights: new Float32Array(batchSize).fill(1) }
}
