import type { EngineChoice, WorkerSampleOptions } from '@dit/browser'
import { FLOW_SAMPLERS, GAUSSIAN_SAMPLERS, type PictureData, type SamplerName } from '@dit/pipeline'

/** What a model says of its process; a flow has solvers of its own, and a distilled student its own steps. */
export type KnownProcess = {
  readonly kind?: string | undefined
  readonly distilled?: { readonly numSteps: number } | undefined
} | null

/** All that decides the pictures. */
export interface Settings {
  readonly model: string
  /** Empty for classes drawn at random. */
  readonly className: string
  readonly guidance: number
  readonly steps: number
  readonly solver: SamplerName
  readonly seed: number
  /** How many pictures. */
  readonly count: number
  readonly engine: EngineChoice
  /** The picture to start from, as `pictureToCode` writes it; empty for noise. */
  readonly start: string
  /** How far that picture is taken back towards noise. */
  readonly strength: number
}

/** What a link or a model made of settings, and what could not be taken, a sentence each. */
export interface Read {
  readonly settings: Settings
  readonly problems: readonly string[]
}

/** What can be chosen. */
export const GUIDANCE = { min: 0, max: 8, step: 0.25 } as const
export const STEPS = { min: 1, max: 100 } as const
export const STRENGTH = { min: 0.05, max: 1, step: 0.05 } as const
export const COUNTS = [1, 4, 9, 16] as const
export const ENGINES = [
  { value: 'auto', text: 'the faster one' },
  { value: 'webgpu', text: 'WebGPU' },
  { value: 'wasm', text: 'WebAssembly' },
] as const satisfies readonly { readonly value: EngineChoice; readonly text: string }[]

/** The solvers that are offered. `ddpm` and its like are left out: they need hundreds of steps. */
export const SOLVERS: readonly { readonly value: SamplerName; readonly text: string }[] = [
  { value: 'dpmpp-2m', text: 'DPM-Solver++ 2M' },
  { value: 'unipc', text: 'UniPC' },
  { value: 'ddim', text: 'DDIM' },
  { value: 'euler', text: 'Euler' },
  { value: 'heun', text: 'Heun' },
  { value: 'midpoint', text: 'Midpoint' },
  { value: 'euler-a', text: 'Euler, fresh noise' },
]

/** Those of them that a process has. */
export function solversOf(process: KnownProcess): typeof SOLVERS {
  const own = process?.kind === 'flow' ? 'euler' : 'ddim'
  if (process?.distilled !== undefined) return SOLVERS.filter(({ value }) => value === own)
  const known: readonly SamplerName[] = process?.kind === 'flow' ? FLOW_SAMPLERS : GAUSSIAN_SAMPLERS
  return SOLVERS.filter(({ value }) => known.includes(value))
}

/** Settings as the part of an address after `#`: whoever opens it gets the same pictures. */
export function settingsToHash({ model, className, engine, start, ...settings }: Settings): string {
  const { guidance, steps, solver, seed, count, strength } = settings
  return `#${new URLSearchParams({
    model,
    ...(className === '' ? {} : { class: className }),
    seed: String(seed),
    count: String(count),
    guidance: String(guidance),
    steps: String(steps),
    solver,
    ...(engine === 'auto' ? {} : { engine }),
    ...(start === '' ? {} : { strength: String(strength), start }),
  })}`
}

/**
 * Reads such a link. What it does not say, or cannot mean, is as usual.
 *
 * @param usual the usual settings of each model, the first one's where the link names none
 */
export function hashToSettings(hash: string, usual: readonly Settings[]): Read {
  const said = new URLSearchParams(hash.replace(/^#/, ''))
  const problems: string[] = []
  const read = <Value extends string | number>(
    name: string,
    parse: (text: string) => Value | undefined,
    what: string,
    other: Value,
  ): Value => {
    const text = said.get(name)
    if (text === null) return other
    const value = parse(text)
    if (value === undefined) {
      problems.push(`The link asks for ${name} ${text}, but it must be ${what}: ${String(other)} is taken.`)
    }
    return value ?? other
  }
  const oneOf =
    <Value extends string>(values: readonly Value[]) =>
    (text: string) =>
      values.find((value) => value === text)
  const numberIn = (fits: (value: number) => boolean) => (text: string) =>
    text.trim() !== '' && fits(Number(text)) ? Number(text) : undefined

  const names = usual.map(({ model }) => model)
  const model = read('model', oneOf(names), names.join(' or '), names[0])
  const own = usual.find((settings) => settings.model === model)!
  const isWithin = (value: number, { min, max }: { readonly min: number; readonly max: number }) =>
    value >= min && value <= max
  const settings: Settings = {
    model,
    className: said.get('class') ?? own.className,
    guidance: read(
      'guidance',
      numberIn((value) => isWithin(value, GUIDANCE)),
      `${GUIDANCE.min} to ${GUIDANCE.max}`,
      own.guidance,
    ),
    steps: read(
      'steps',
      numberIn((value) => Number.isInteger(value) && isWithin(value, STEPS)),
      `a whole number, ${STEPS.min} to ${STEPS.max}`,
      own.steps,
    ),
    solver: read(
      'solver',
      oneOf(SOLVERS.map(({ value }) => value)),
      SOLVERS.map(({ value }) => value).join(', '),
      own.solver,
    ),
    seed: read(
      'seed',
      numberIn((value) => Number.isSafeInteger(value) && value >= 0),
      'a whole number, 0 or more',
      own.seed,
    ),
    count: read(
      'count',
      numberIn((value) => COUNTS.some((count) => count === value)),
      COUNTS.join(', '),
      own.count,
    ),
    engine: read('engine', oneOf(ENGINES.map(({ value }) => value)), 'auto, webgpu or wasm', own.engine),
    start: said.get('start') ?? own.start,
    strength: read(
      'strength',
      numberIn((value) => isWithin(value, STRENGTH)),
      `${STRENGTH.min} to ${STRENGTH.max}`,
      own.strength,
    ),
  }
  return { settings, problems }
}

/** Settings that an opened model can follow: what it does not have is taken back. */
export function fitSettings(
  settings: Settings,
  {
    classNames,
    process,
    guidanceRange = [GUIDANCE.min, GUIDANCE.max],
  }: {
    readonly classNames: readonly string[]
    readonly process: KnownProcess
    /** Scales of guidance that a network takes as an input; any, where guidance takes a second pass. */
    readonly guidanceRange?: readonly [low: number, high: number] | undefined
  },
): Read {
  const problems: string[] = []
  const solvers = solversOf(process).map(({ value }) => value)
  let { className, solver, steps, guidance } = settings
  if (className !== '' && !classNames.includes(className)) {
    problems.push(`The model has no class ${className}: classes are drawn at random.`)
    className = ''
  }
  if (!solvers.includes(solver)) {
    problems.push(`The solver ${solver} does not work with the process of this model: ${solvers[0]} is taken.`)
    solver = solvers[0]
  }
  const own = process?.distilled?.numSteps ?? steps
  if (steps !== own) {
    problems.push(`This model is a student of few steps, and knows ${own} and no others: ${own} are taken.`)
    steps = own
  }
  const [low, high] = guidanceRange
  if (guidance < low || guidance > high) {
    const taken = Math.min(Math.max(guidance, low), high)
    problems.push(`This model knows guidance of ${low} to ${high}: ${taken} is taken.`)
    guidance = taken
  }
  return { settings: { ...settings, className, solver, steps, guidance }, problems }
}

/**
 * The settings as options of a pipeline.
 *
 * @param image the picture of `start`; null for noise
 */
export function sampleOptions(
  settings: Settings,
  classNames: readonly string[],
  image: PictureData | null,
): WorkerSampleOptions {
  const { className, guidance, steps, solver, seed, count, strength } = settings
  const label = classNames.indexOf(className)
  // One noise for each place in the grid: another class with the same seed starts from the same noise.
  const which = className === '' ? { total: count } : { labels: Array.from({ length: count }, () => label) }
  return { ...which, guidance, steps, sampler: solver, seed, ...(image === null ? {} : { image, strength }) }
}
