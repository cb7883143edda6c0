import { chanceCopies } from '../copies/chance-copies.js'
import type { Memorisation } from '../evaluation.js'
import { formatCount, formatMeasure, formatShare } from './format-number.js'
import { type Html, html } from './html.js'
import { intervalChart } from './interval-chart.js'
import type { Tile } from './tiles.js'

/** What the share of copies means. */
export function memorisationVerdict(memorisation: Memorisation): 'none' | 'some' | 'many' {
  const { share, interval } = memorisation
  const { expected, most } = chanceCopies(memorisation)
  if (share <= most || interval.low <= expected) return 'none'
  return interval.low > 0.1 ? 'many' : 'some'
}

const VERDICTS = {
  none: {
    label: 'no sign of copying',
    kind: 'at-floor',
    sentence: 'The share is no larger than chance explains.',
  },
  some: {
    label: 'some copies',
    kind: 'short',
    sentence: 'More samples than chance explains are nearly training pictures. Look at the suspects below.',
  },
  many: {
    label: 'copies',
    kind: 'short',
    sentence:
      'The model repeats training pictures. Its measures against real pictures say little about what it can make by itself.',
  },
} as const

/** Share of samples that are suspiciously near to a training picture, with its interval and what it means. */
export function memorisationSection(memorisation: Memorisation): Html {
  const { share, interval, threshold, space, isMirrored, numTraining, numHeldOut, numSamples } = memorisation
  const verdict = VERDICTS[memorisationVerdict(memorisation)]
  const range = `${formatShare(interval.low)} to ${formatShare(interval.high)}`
  const percent = (part: number) => 100 * part
  const { expected, most } = chanceCopies(memorisation)
  const chart = intervalChart({
    value: percent(share),
    interval: { low: percent(interval.low), high: percent(interval.high) },
    reference: { value: percent(expected), interval: null },
    isShare: false,
    alt: `Share of near copies ${formatShare(share)}, interval ${range}, of a model that copies nothing about ${formatShare(expected)}`,
  })
  return html`<div class="memorisation">
    <div>
      <strong class="number large">${formatShare(share)}</strong><span class="range">${range}</span
      ><span class="verdict ${verdict.kind}">${verdict.label}</span>
    </div>
    <div>
      ${chart}
      <p class="meaning">% of samples; diamond: what a model has that copies nothing</p>
    </div>
    <div>
      <p>
        ${verdict.sentence} About ${formatShare(expected)} is expected of a model that copies nothing, and up to
        ${formatShare(most)} is chance.
      </p>
      <p class="quiet">
        Counted are samples (of ${formatCount(numSamples)}) that are nearer to one of ${formatCount(numTraining)}
        training pictures than 99 % of ${formatCount(numHeldOut)} held-out pictures are: nearer than
        ${formatMeasure(threshold)} between ${space}.
        ${isMirrored ? 'Mirror images of training pictures were searched, too.' : null}
      </p>
    </div>
  </div>`
}

/** The share of copies among the numbers that are read first. */
export function memorisationTile(memorisation: Memorisation): Tile {
  const { share, interval } = memorisation
  const { label, kind } = VERDICTS[memorisationVerdict(memorisation)]
  return {
    title: 'Near copies of training pictures',
    number: formatShare(share),
    below: [
      html`<span class="range">${formatShare(interval.low)} to ${formatShare(interval.high)}</span>`,
      html`<span class="verdict ${kind}">${label}</span>`,
    ],
  }
}
