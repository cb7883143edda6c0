import type { EngineChoice, WorkerSampleOptions } from '../worker/messages.js'

/** What an element is asked for. */
export interface Settings {
  /** Absolute, or `hf:owner/name`. */
  readonly src: string
  readonly engine: EngineChoice
  readonly sample: WorkerSampleOptions
  readonly seed: number
}

/** An attribute that says nothing that can be drawn. */
export class AttributeError extends RangeError {
  override readonly name = 'AttributeError'
}

/** All attributes that change what is drawn or shown. */
export const ATTRIBUTES = [
  'src',
  'class',
  'model-class',
  'steps',
  'guidance',
  'seed',
  'count',
  'size',
  'solver',
  'engine',
  'draw',
] as const

const ENGINES = ['auto', 'webgpu', 'wasm'] as const

/**
 * Reads the attributes of an element.
 *
 * @throws AttributeError that names the attribute, what must hold and what came
 */
export function readSettings(element: Pick<Element, 'getAttribute'>, baseURI: string): Settings {
  const text = (name: string): string | null => {
    const value = element.getAttribute(name)?.trim() ?? ''
    return value === '' ? null : value
  }
  const src = text('src')
  if (src === null) {
    throw new AttributeError(
      'there is no model to draw from: set src to the address of its weights, such as model.safetensors',
    )
  }
  const engine = text('engine') ?? 'auto'
  if (!ENGINES.includes(engine as EngineChoice)) {
    throw new AttributeError(`engine must be auto, webgpu or wasm (got ${engine})`)
  }
  const seed = integer('seed', text('seed'), 0) ?? 0
  const [classes, steps, guidance, count, solver] = [
    text('model-class') ?? text('class'),
    integer('steps', text('steps'), 1),
    number('guidance', text('guidance')),
    integer('count', text('count'), 1),
    text('solver'),
  ]
  const sample = {
    seed,
    ...(classes === null ? {} : { classes }),
    ...(steps === null ? {} : { steps }),
    ...(guidance === null ? {} : { guidance }),
    ...(count === null ? {} : { count }),
    ...(solver === null ? {} : { sampler: solver as NonNullable<WorkerSampleOptions['sampler']> }),
  }
  const address = URL.canParse(src, baseURI) ? new URL(src, baseURI).href : src
  return { src: address, engine: engine as EngineChoice, sample, seed }
}

/**
 * The side of a picture on the page in CSS pixels; null where nothing says it.
 *
 * @throws AttributeError for what is no positive number
 */
export function readSize(value: string | null): number | null {
  const size = number('size', value === null || value.trim() === '' ? null : value)
  if (size === null || size > 0) return size
  throw new AttributeError(`size must be above 0, in CSS pixels (got ${size})`)
}

function number(name: string, text: string | null): number | null {
  if (text === null) return null
  const value = Number(text)
  if (Number.isFinite(value)) return value
  throw new AttributeError(`${name} must be a number (got ${text})`)
}

function integer(name: string, text: string | null, least: number): number | null {
  const value = number(name, text)
  if (value === null || (Number.isSafeInteger(value) && value >= least)) return value
  throw new AttributeError(`${name} must be an integer, ${least} or more (got ${text})`)
}
