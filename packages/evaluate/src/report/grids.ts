import type { Evaluation } from '../evaluation.js'
import { type Html, html } from './html.js'
import type { PictureAlbum } from './picture.js'

/** A picture of pictures, with its size in pixels. */
export type Grid = Evaluation['grids'][number]

/** Grids beside each other where there is room; small ones enlarged by a whole factor, so that pixels stay square. */
export function gridFigures(grids: readonly Grid[], album: PictureAlbum): Html {
  return html`<div class="grids">
    ${grids.map(({ title, picture, width, height }) => {
      const zoom = Math.max(1, Math.floor(ROOM / width))
      return html`<figure>
        <figcaption>${title}</figcaption>
        ${album.show(picture, `Grid of pictures: ${title}`, { size: [height * zoom, width * zoom], isEnlarged: zoom > 1 })}
      </figure> `
    })}
  </div>`
}

/** Pixels that a grid should fill. */
const ROOM = 520
