import type { ShareFound } from './classifier.js'

/** A number with the interval that it lies in, and what real pictures reach. */
export interface CardMeasure {
  readonly measure: string
  readonly title: string
  readonly extractor: string
  readonly value: number
  readonly low: number | null
  readonly high: number | null
  /** The same measure of real pictures against other real ones, and of as many samples. */
  readonly floor: { readonly value: number; readonly matched: number } | null
}

/** Everything that was measured of a model: `models/<name>.json` of `@dit/pretrained`, written by `npm run pretrained` only. */
export interface Card {
  readonly format: 'dit-card-1'
  readonly name: string
  readonly file: { readonly bytes: number; readonly sha256: string; readonly dtype: 'f16' }
  readonly network: Readonly<Record<string, unknown>>
  readonly parameters: number
  readonly classes: readonly string[]
  readonly training: {
    /** `dit train`, without the places of data and run. */
    readonly command: string
    readonly steps: number
    readonly batch: number
    readonly pictures: number
    readonly minutes: number
    readonly processors: number
    readonly engine: string
    readonly node: string
  }
  readonly heldOut: number
  readonly sampling: Readonly<Record<string, string | number>>
  readonly numSamples: number
  readonly measures: readonly CardMeasure[]
  /** Of a classifier that learned from training pictures: how often it finds the class of held-out pictures and of samples. */
  readonly classifier: { readonly heldOut: ShareFound; readonly samples: ShareFound; readonly numTraining: number }
  readonly copies: {
    readonly share: number
    readonly low: number
    readonly high: number
    /** Share of samples that are near copies by chance alone, and the most that is chance. */
    readonly expected: number
    readonly mostByChance: number
    readonly numTraining: number
    readonly among: string
  }
}

/** Of a figure that two builds have: both values, and whether the second lies where the first may scatter. */
export interface Compared {
  readonly what: string
  readonly published: number
  readonly rebuilt: number
  readonly low: number
  readonly high: number
  readonly agrees: boolean
}

/** Compares every figure with an interval of a rebuilt model with the published one: the rebuilt must lie in the published interval. */
export function compareCards(published: Card, rebuilt: Card): Compared[] {
  const [before, after] = [figuresOf(published), figuresOf(rebuilt)]
  return [...before].map(([what, { value, low, high }]) => {
    const found = after.get(what)
    if (found === undefined) throw new Error(`the rebuilt ${rebuilt.name} has no ${what}`)
    return {
      what,
      published: value,
      rebuilt: found.value,
      low,
      high,
      agrees: found.value >= low && found.value <= high,
    }
  })
}

function figuresOf({ measures, classifier, copies }: Card) {
  const figures = new Map<string, { readonly value: number; readonly low: number; readonly high: number }>()
  for (const { title, extractor, value, low, high } of measures) {
    if (low !== null && high !== null) figures.set(`${title} (${extractor})`, { value, low, high })
  }
  figures.set('classes found by the classifier', { ...classifier.samples, value: classifier.samples.share })
  figures.set('copies', { ...copies, value: copies.share })
  return figures
}
