import { type Html, html } from './html.js'

/** How a picture is shown. */
export interface PictureLook {
  readonly size?: readonly [height: number, width: number]
  /** Whether it is shown larger than it is. */
  readonly isEnlarged?: boolean
}

/** Pictures of a page, each with an id, by which the page's JSON names it. */
export interface PictureAlbum {
  /** Ids by data URL. */
  readonly ids: ReadonlyMap<string, string>
  /**
   * An `<img>`.
   *
   * @param picture  a data URL of a PNG, JPEG, WebP or GIF
   * @param alt      what it shows
   * @param look     its size on the page; `isEnlarged` has its pixels stay sharp
   * @throws RangeError where it is no such URL: a page must not ask for anything
   */
  show(picture: string, alt: string, look?: PictureLook): Html
}

const DATA_URL = /^data:image\/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}$/

/** An album without pictures. */
export function pictureAlbum(): PictureAlbum {
  const ids = new Map<string, string>()
  return {
    ids,
    show(picture, alt, { size, isEnlarged = false } = {}) {
      if (!DATA_URL.test(picture))
        throw new RangeError(
          `report: the picture of ${JSON.stringify(alt)} must be a data URL of an image in base64 (it is ${JSON.stringify(picture.slice(0, 60))})`,
        )
      const isNew = !ids.has(picture)
      if (isNew) ids.set(picture, `picture-${ids.size}`)
      const sizes = size === undefined ? null : html` width="${size[1]}" height="${size[0]}"`
      return html`<img${isNew ? html` id="${ids.get(picture)!}"` : null} src="${picture}" alt="${alt}"${sizes}${isEnlarged ? html` class="pixels"` : null}>`
    },
  }
}
