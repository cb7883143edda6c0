import { integers, randomStream } from '@dit/random'
import { parseClasses } from '../classes/parse-classes.js'
import type { OpenModel } from '../open-model.js'
import { OptionError } from '../option-error.js'
import { SAMPLE_DEFAULTS, type SampleOptions } from './sample-options.js'

/** What is drawn of which class. */
export interface PlannedLabels {
  /** Class of each sample, `[N]`. */
  readonly labels: Int32Array
  /** The classes asked for, in order. */
  readonly classes: readonly number[]
  /** Samples of each class, one after another; null where their order is another: drawn at random, or given. */
  readonly perClass: number | null
}

/** Most classes that are sampled without being asked for. */
const MOST_CLASSES = 100

/** Most samples at a time. */
const MOST_SAMPLES = 10_000_000

/**
 * The class of every sample.
 *
 * @throws OptionError naming the first option that cannot be
 */
export function labelsOf(model: OpenModel, options: SampleOptions): PlannedLabels {
  if (options.labels !== undefined) return givenLabels(model, options)
  const { numClasses } = model.network
  if (numClasses > MOST_CLASSES && options.classes === undefined) {
    throw new OptionError(
      'classes',
      `they are needed, because ${model.name} has ${numClasses} classes; name some, or give all`,
    )
  }
  const classes = parseClasses(options.classes ?? 'all', model)
  if (options.total !== undefined) return randomLabels(classes, options)
  const perClass = checkedCount('count', options.count ?? SAMPLE_DEFAULTS.count, 1)
  requireFew('count', classes.length * perClass)
  const labels = Int32Array.from({ length: classes.length * perClass }, (_, i) => classes[Math.floor(i / perClass)])
  return { classes, perClass, labels }
}

function givenLabels(model: OpenModel, options: SampleOptions): PlannedLabels {
  const { numClasses } = model.network
  if ((['classes', 'count', 'total'] as const).some((name) => options[name] !== undefined)) {
    throw new OptionError('labels', 'they replace `classes`, `count` and `total`; leave those out')
  }
  const given = Array.from(options.labels!)
  const wrong = given.find((label) => !(Number.isInteger(label) && label >= 0 && label < numClasses))
  if (wrong !== undefined) throw new OptionError('labels', `they must be 0 to ${numClasses - 1}`, wrong)
  if (given.length === 0) throw new OptionError('labels', 'there must be at least one')
  return { classes: [...new Set(given)], perClass: null, labels: Int32Array.from(given) }
}

/** Classes drawn uniformly, each by the seed and its place: the first ones are the same for any total. */
function randomLabels(classes: readonly number[], { count, total, seed }: SampleOptions): PlannedLabels {
  if (count !== undefined) {
    throw new OptionError(
      'total',
      'it is the number of all samples, and `count` that of each class; leave one of them out',
    )
  }
  requireFew('total', checkedCount('total', total!, 1))
  const stream = randomStream(checkedCount('seed', seed ?? SAMPLE_DEFAULTS.seed, 0), 'labels')
  const labels = integers(stream, classes.length, total!).map((at) => classes[at])
  return { classes, perClass: null, labels }
}

function requireFew(option: string, total: number): void {
  if (total <= MOST_SAMPLES) return
  throw new OptionError(
    option,
    `it makes ${total.toLocaleString('en')} samples, but at most ${MOST_SAMPLES.toLocaleString('en')} are drawn at a time`,
  )
}

/** A whole number that is large enough. */
export function checkedCount(option: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new OptionError(
    option,
    least === 0 ? 'it must be a whole number, 0 or more' : 'it must be a positive integer',
    value,
  )
}
