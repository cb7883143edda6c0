import type { DenoiserOptions } from '@dit/diffusion'
import {
  diffusionTables,
  dpmTimesteps,
  dynamicShiftSigma,
  exponentialSigmas,
  type NoiseLevel,
  type Path,
  pathThrough,
  preservingLevel,
  shiftTime,
  sigmaAt,
  sigmaTable,
  straightLevel,
  stretchToTerminal,
  timestepAt,
  spreadSigmas,
} from '@dit/schedules'
import { betasOf } from '../diffusers-process.js'
import { type Fields, flag, number, requireOneOf } from '../diffusers-fields.js'
import { type LibraryTable, libraryTable } from './library-table.js'
import {
  checkTimesteps,
  type DiffusersSteps,
  optionalNumber,
  predictionOf,
  refuseSteps,
  spacingOf,
  spreadOf,
  thresholdOf,
  withFiniteEnd,
} from './plan.js'

/** What differs between the schedulers that are laid out as DPM-Solver's. */
export interface DpmLayout {
  readonly name: string
  /** The class spaces timesteps as it is told; else by linspace. */
  readonly hasSpacing?: boolean
  readonly hasZeroSnr?: boolean
  /** Leaves out the noisiest timesteps by `lambda_min_clipped`. */
  readonly hasClip?: boolean
  readonly hasLu?: boolean
  /** Reads `sigma_min` and `sigma_max`. */
  readonly hasRange?: boolean
  /** Rounds the timesteps of Karras's sigmas also with the cosine schedule, where others cut them. */
  readonly roundsAlways?: boolean
  /** Where the last step leads: as `final_sigmas_type` says, that being the process's smallest sigma or the last that was spread. */
  readonly final: 'process' | 'spread' | 'alwaysSpread'
  /** `numSteps` of flow sigmas: from 1 down (UniPC), or flipped from 0 up. */
  readonly flow: 'down' | 'flipped'
  readonly steps: readonly (keyof DiffusersSteps)[]
}

/** Path and reading of such a scheduler. */
export interface DpmPath {
  readonly path: Path
  readonly alphaBar: Float64Array
  readonly reading: DenoiserOptions
}

/**
 * The layout of DPM-Solver's schedulers: whole timesteps and their sigmas, or sigmas spread over the process with the timesteps nearest to
 * them, or the sigmas of a flow.
 */
export function dpmPath(layout: DpmLayout, fields: Fields): (steps: DiffusersSteps) => DpmPath {
  const { name } = layout
  const isZeroSnr = layout.hasZeroSnr === true && flag(fields, 'rescale_betas_zero_snr', false)
  const betas = betasOf({ ...fields, rescale_betas_zero_snr: isZeroSnr })
  const tables = diffusionTables(betas)
  const alphaBar = isZeroSnr ? withFiniteEnd(tables.alphaBar) : tables.alphaBar
  const isFlow = flag(fields, 'use_flow_sigmas', false)
  const reading = readingOf(name, fields, isFlow)
  const kind = spreadKind(layout, fields)
  const isSpreadFlow = isFlow && kind === 'karras' && layout.flow === 'down'
  if (isFlow && kind !== null && !isSpreadFlow) {
    throw new RangeError(
      `scheduler_config.json: use_flow_sigmas cannot go with use_${kind}_sigmas, whose sigmas exceed 1`,
    )
  }
  const ends = endsOf(layout, fields)
  const library = kind === null ? null : libraryTable(fields, isZeroSnr)
  const own = { layout, fields, table: sigmaTable(alphaBar), library, kind, isFlow }
  return (steps) => {
    refuseSteps(name, steps, layout.steps)
    refuseShift(own, steps)
    if (steps.timesteps !== undefined && (kind !== null || isFlow)) {
      throw new RangeError(`diffusersSampler: timesteps must be left out where ${name} spreads its sigmas`)
    }
    checkTimesteps(name, steps.timesteps, own.table.length, true)
    const { timesteps, sigmas } = isFlow && kind === null ? flowSteps(own, steps) : processSteps(own, steps)
    const last = ends === 'zero' ? 0 : ends === 'spread' && (kind !== null || isFlow) ? sigmas.at(-1)! : own.table[0]
    const level = isFlow ? straightLevel : preservingLevel
    const levels: NoiseLevel[] = [...sigmas, last].map((sigma, i) => level(sigma, timesteps[i] ?? 0))
    return { path: pathThrough(levels), alphaBar, reading }
  }
}

type Own = {
  readonly layout: DpmLayout
  readonly fields: Fields
  readonly table: Float64Array
  /** Where sigmas are spread. */
  readonly library: LibraryTable | null
  readonly kind: ReturnType<typeof spreadKind>
  readonly isFlow: boolean
}

/** Throws for a shift or sigmas that the scheduler would not look at, and for a shift that it lacks. */
function refuseShift({ layout, fields, isFlow }: Own, { mu, sigmas }: DiffusersSteps): void {
  const isDynamic = flag(fields, 'use_dynamic_shifting', false)
  if (mu !== undefined && !isDynamic) throw new RangeError('diffusersSampler: mu is for use_dynamic_shifting')
  if (layout.flow === 'down') {
    if (isDynamic && mu === undefined) {
      throw new RangeError('diffusersSampler: use_dynamic_shifting needs mu, which follows from the size of the image')
    }
    requireOneOf(fields, 'time_shift_type', ['exponential', 'linear'])
  } else if (isFlow || mu !== undefined) {
    requireOneOf(fields, 'time_shift_type', ['exponential'])
  }
  if (sigmas !== undefined && !isFlow) {
    throw new RangeError(`diffusersSampler: sigmas must be left out with ${layout.name} unless use_flow_sigmas is true`)
  }
}

function processSteps(own: Own, steps: DiffusersSteps): { timesteps: Float64Array; sigmas: Float64Array } {
  const { layout, fields, table, library, kind, isFlow } = own
  const numTimesteps = table.length
  if (kind === null) {
    const lambdaMin = layout.hasClip ? optionalNumber(fields, 'lambda_min_clipped') : null
    const numUsed = lambdaMin === null ? numTimesteps : table.filter((sigma) => -Math.log(sigma) >= lambdaMin).length
    const spacing = layout.hasSpacing ? spacingOf(fields, 'linspace') : 'linspace'
    const stepsOffset = layout.hasSpacing ? number(fields, 'steps_offset', 0) : 0
    const { numSteps } = steps
    const timesteps = steps.timesteps ?? dpmTimesteps({ numTimesteps, numSteps, spacing, stepsOffset, numUsed })
    if (timesteps.some((timestep, i) => i > 0 && timestep === timesteps[i - 1])) {
      throw new RangeError(
        `diffusersSampler: ${layout.name} would take a timestep twice, with no step between; numSteps must be below ${numUsed} (got ${numSteps})`,
      )
    }
    return {
      timesteps: Float64Array.from(timesteps),
      sigmas: Float64Array.from(timesteps, (timestep) => sigmaAt(table, timestep)),
    }
  }
  const spreadOver = (from: Float64Array, logs: Float64Array) => {
    const [sigmaMin, sigmaMax] = ['sigma_min', 'sigma_max'].map((each) =>
      layout.hasRange ? optionalNumber(fields, each) : null,
    )
    const range = { sigmaMin: sigmaMin ?? from[0], sigmaMax: sigmaMax ?? from.at(-1)! }
    if (steps.sigmas !== undefined && range.sigmaMin > range.sigmaMax) {
      throw new RangeError(
        `diffusersSampler: sigmas must rise where ${layout.name} spreads them, which turns them round (got ${range.sigmaMin} to ${range.sigmaMax})`,
      )
    }
    if (kind !== 'lu') return spreadSigmas(kind, range, steps.numSteps)
    return exponentialSigmas({ sigmaMin: Math.exp(logs[0]), sigmaMax: Math.exp(logs.at(-1)!) }, steps.numSteps)
  }
  const logs = table.map(Math.log)
  const { sigmas: given } = steps
  const sigmas = spreadOver(given === undefined ? table : Float64Array.from(given), logs)
  if (isFlow) {
    const flow = sigmas.map((sigma) => sigma / (sigma + 1))
    return { timesteps: flow.map((sigma) => Math.trunc(sigma * numTimesteps)), sigmas: flow }
  }
  const isCosine = fields['beta_schedule'] === 'squaredcos_cap_v2'
  const isRounded = (kind === 'karras' || kind === 'lu') && (layout.roundsAlways === true || !isCosine)
  const whole = isRounded ? roundHalfToEven : Math.trunc
  const timesteps = spreadOver(library!.sigmas, library!.logs).map((sigma) => whole(timestepAt(library!.logs, sigma)))
  return { timesteps, sigmas }
}

/** The steps of a flow: sigmas from near 1 down, shifted. */
function flowSteps({ layout, fields, table }: Own, { numSteps, mu, sigmas: given }: DiffusersSteps) {
  const T = table.length
  const isDynamic = flag(fields, 'use_dynamic_shifting', false)
  let shift = number(fields, 'flow_shift', 1)
  let sigmas: Float64Array
  if (layout.flow === 'flipped') {
    if (mu !== undefined) shift = Math.exp(mu)
    const step = (1 / T - 1) / numSteps
    const noisy = Array.from({ length: numSteps + 1 }, (_, i) => 1 - (i === numSteps ? 1 / T : i * step + 1))
    sigmas = Float64Array.from(
      noisy
        .map((sigma) => shiftTime(sigma, shift))
        .toReversed()
        .slice(0, -1),
    )
  } else {
    const step = (1 / T - 1) / numSteps
    sigmas = Float64Array.from(given ?? Array.from({ length: numSteps }, (_, i) => i * step + 1))
    const kind = fields['time_shift_type'] === 'linear' ? 'linear' : 'exponential'
    sigmas = sigmas.map((sigma) => (isDynamic ? dynamicShiftSigma(sigma, mu!, kind) : shiftTime(sigma, shift)))
    const terminal = optionalNumber(fields, 'shift_terminal') ?? 0
    if (terminal !== 0) sigmas = stretchToTerminal(sigmas, terminal)
    // alpha must not be 0 where lambda is taken.
    if (Math.abs(sigmas[0] - 1) < 1e-6) sigmas[0] -= 1e-6
  }
  return { sigmas, timesteps: sigmas.map((sigma) => Math.trunc(sigma * T)) }
}

function readingOf(name: string, fields: Fields, isFlow: boolean): DenoiserOptions {
  const prediction = predictionOf(fields, ['epsilon', 'sample', 'v_prediction', 'flow_prediction'])
  if (prediction === 'velocity' && !isFlow) {
    throw new RangeError(
      'scheduler_config.json: flow_prediction needs use_flow_sigmas; other sigmas are those of no flow',
    )
  }
  if (prediction === 'v' && isFlow) {
    throw new RangeError(
      `scheduler_config.json: ${name} reads v_prediction on levels that keep the variance, which use_flow_sigmas does not`,
    )
  }
  return { prediction, ...thresholdOf(fields) }
}

function spreadKind(layout: DpmLayout, fields: Fields): 'karras' | 'exponential' | 'beta' | 'lu' | null {
  const kind = spreadOf(fields)
  const isLu = layout.hasLu === true && flag(fields, 'use_lu_lambdas', false)
  // The library looks for Karras's sigmas first, then for lambdas, then for the others.
  return isLu && kind !== 'karras' ? 'lu' : kind
}

function endsOf({ final }: DpmLayout, fields: Fields): 'zero' | 'process' | 'spread' {
  if (final === 'alwaysSpread') return 'spread'
  return requireOneOf(fields, 'final_sigmas_type', ['zero', 'sigma_min']) === 'zero' ? 'zero' : final
}

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value)
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}
