import type { MeasureResult } from '../evaluation.js'
import { formatCount, formatMeasure, isNumber } from './format-number.js'

/** What each measure says, to somebody who has not read its paper. */
const MEANINGS: Readonly<Record<string, string>> = {
  frechet:
    'Distance between the two sets as clouds of features. It grows when pictures look wrong and when variety is missing, and does not tell which.',
  spatialFrechet:
    'The same distance on features that still know where in the picture they are: it sees wrong layouts better, and overall looks less.',
  frechetInfinity:
    'The Fréchet distance that would be measured with endlessly many samples. It can be compared between different counts.',
  kid: 'Distance between the two sets that does not grow when there are few samples. Around 0, and sometimes below, the sets are alike.',
  cmmd: 'Distance between the two sets that assumes no shape of the clouds. Around 0, the sets are alike.',
  inceptionScore:
    'High when each picture is clearly of one class and all classes appear. It never looks at the real pictures.',
  precision: 'Share of the judged pictures that lie where real pictures lie: whether they look right.',
  recall: 'Share of the real pictures that the judged ones come near to: whether the variety is all there.',
  density:
    'How densely real pictures surround the judged ones. About 1 is what real pictures reach; more means crowding around the most common kinds.',
  coverage: 'Share of the real pictures that have a judged one as close neighbour: whether kinds are missing.',
  vendi: 'How many clearly different pictures the set is worth: its variety, whether or not it looks right.',
  authenticity:
    'Share of the judged pictures that are not closer to a training picture than that one’s own nearest neighbour is. Low values hint at copies.',
}

/** Measures that lie between 0 and 1. */
const SHARES: ReadonlySet<string> = new Set(['precision', 'recall', 'coverage', 'authenticity'])

/** Whether a measure is a share, and so has an axis from 0 to 1. */
export function isShare(measure: string): boolean {
  return SHARES.has(measure)
}

/** What a measure says, and to which side it is good. */
export function meaningOf({ measure, better }: Pick<MeasureResult, 'measure' | 'better'>): string {
  const meaning = Object.hasOwn(MEANINGS, measure) ? `${MEANINGS[measure]} ` : ''
  return `${meaning}${better === 'less' ? 'Lower' : 'Higher'} is better.`
}

/** How a value stands to the floor, in a word for the eye and a sentence. */
export interface Verdict {
  readonly kind: 'at-floor' | 'short' | 'beyond' | 'unknown'
  readonly label: string
  readonly sentence: string
}

/**
 * Reads a value against its floor, real pictures against other real ones. Intervals that touch are taken for equal, which calls
 * fewer differences than there are, never more.
 */
export function verdictOf({ value, interval, floor, better }: MeasureResult): Verdict {
  if (!isNumber(value)) return { kind: 'unknown', label: 'no number', sentence: 'This measure has no value here.' }
  if (floor === null || !isNumber(floor.value) || !isNumber(floor.matched))
    return {
      kind: 'unknown',
      label: 'no floor',
      sentence: 'Real pictures were not measured against real ones, so it says only which of two models is better.',
    }
  // Measures depend on counts: the interval moves with the value to where as few samples as the floor's put it.
  const { matched } = floor
  const own = { low: matched + (interval?.low ?? value) - value, high: matched + (interval?.high ?? value) - value }
  const real = floor.interval ?? { low: floor.value, high: floor.value }
  const floorText = formatMeasure(floor.value, floor.interval)
  if (interval === null && floor.interval === null)
    return {
      kind: 'unknown',
      label: 'no interval',
      sentence: `Real against real: ${floorText}. Without intervals, nobody knows how much of the difference is chance.`,
    }
  if (own.low <= real.high && real.low <= own.high)
    return {
      kind: 'at-floor',
      label: 'as real pictures',
      sentence: `Cannot be told apart from real pictures, which have ${floorText}.`,
    }
  const isShort = better === 'less' ? own.low > real.high : own.high < real.low
  return isShort
    ? {
        kind: 'short',
        label: 'short of real',
        sentence: shortSentence(matched, floor.value, better, floorText, real.low > 0),
      }
    : {
        kind: 'beyond',
        label: 'beyond real',
        sentence: `Better than real pictures, which have ${floorText}: look for copies, and for a floor of fewer pictures.`,
      }
}

/** A ratio says something only where the floor itself can be told from 0. */
function shortSentence(
  matched: number,
  floor: number,
  better: 'less' | 'more',
  floorText: string,
  hasRatio: boolean,
): string {
  const ratio = matched / floor
  if (better === 'less' && hasRatio) return `${formatRatio(ratio)} times what real pictures have (${floorText}).`
  if (better === 'more' && hasRatio && ratio > 0)
    return `${Math.round(100 * ratio)} % of what real pictures have (${floorText}).`
  return `Real pictures have ${floorText}.`
}

function formatRatio(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(1) : formatCount(Math.round(ratio))
}
