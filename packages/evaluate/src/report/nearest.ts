import type { NearestPictures } from '../evaluation.js'
import { formatCount, formatMeasure } from './format-number.js'
import { type Html, html } from './html.js'
import type { PictureAlbum } from './picture.js'

interface NearestOptions {
  /** Distance below which a sample is a suspect. */
  readonly threshold: number | null
  /** Samples that are shown. */
  readonly max: number
  /** The longer side of the pictures in pixels, where it is known. */
  readonly side: number | null
}

/** Pictures up to this side are enlarged. */
const SMALL = 72

/** Samples beside their nearest training pictures, suspects first, the nearest first among them; at most `max`. */
export function nearestSection(
  nearest: readonly NearestPictures[],
  album: PictureAlbum,
  { threshold, max, side }: NearestOptions,
): Html {
  const isEnlarged = side === null || side <= SMALL
  const sorted = nearest.toSorted(
    (a, b) => Number(b.isSuspect) - Number(a.isSuspect) || closest(a) - closest(b) || a.sample - b.sample,
  )
  const shown = sorted.slice(0, max)
  const numSuspects = nearest.filter(({ isSuspect }) => isSuspect).length
  return html`<p>
      Each sample (left, framed) stands beside the training pictures nearest to it, with their distances.
      ${threshold === null ? null : `A sample is a suspect where the nearest is closer than ${formatMeasure(threshold)}.`}
      ${formatCount(numSuspects)} of these ${formatCount(nearest.length)}
      ${nearest.length === 1 ? 'sample is a suspect' : 'samples are suspects'}.${shown.length < nearest.length ? ` The ${formatCount(shown.length)} most suspicious are shown.` : null}
    </p>
    <div class="nearest ${isEnlarged ? 'small' : 'large'}">
      ${shown.map((each) => nearestRow(each, album, isEnlarged))}
    </div>`
}

function nearestRow(
  { sample, picture, className, neighbours, isSuspect }: NearestPictures,
  album: PictureAlbum,
  isEnlarged: boolean,
): Html {
  const name = `Sample ${sample}${className === null ? '' : ` of class ${className}`}`
  return html`<figure${isSuspect ? html` class="suspect"` : null}>
<figcaption>${isSuspect ? html`<span class="verdict short">suspect</span> ` : null}sample ${sample}${className === null ? null : html` <span class="quiet">${className}</span>`}</figcaption>
<div class="row"><div class="sample">${album.show(picture, name, { isEnlarged })}</div><ol>${neighbours.map(
    ({ index, distance, picture: neighbour, file }, i) =>
      html`<li>
        ${album.show(neighbour, `Training picture ${index}, nearest ${i + 1} to sample ${sample}`, { isEnlarged })}<span>${formatMeasure(distance)}</span>${file === null ? html`<span class="quiet">no. ${index}</span>` : html`<span class="quiet" title="${file}">${lastPart(file)}</span>`}
      </li>`,
  )}</ol></div>
</figure>
`
}

function closest({ neighbours }: NearestPictures): number {
  return Math.min(...neighbours.map(({ distance }) => distance))
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? path
}
