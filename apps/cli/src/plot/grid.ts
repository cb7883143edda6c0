import type { Sharp } from 'sharp'
import { FONT, svgToPng, textWidth } from './fonts.js'
import { escapeXml } from '@dit/evaluate/plot'
import { picture, type Pictures } from '@dit/pipeline'

export interface GridOptions {
  /** Pictures in a row. */
  readonly columns: number
  /** One label for each row. */
  readonly rowLabels?: readonly string[]
  /** Pixels of the grid for a pixel of a picture, without smoothing. */
  readonly scale: number
}

const GAP = 4
const FONT_SIZE = 13

/** Where things stand in a grid, in pixels. */
export interface GridLayout {
  readonly width: number
  readonly height: number
  readonly labelWidth: number
  readonly tileWidth: number
  readonly tileHeight: number
}

export function gridLayout(pictures: Pictures, { columns, rowLabels = [], scale }: GridOptions): GridLayout {
  const rows = Math.ceil(pictures.count / columns)
  const widest = rowLabels.length === 0 ? 0 : textWidth(rowLabels, FONT_SIZE)
  // Twice as much room before a label as after it.
  const labelWidth = widest === 0 ? 0 : Math.ceil(widest) + 3 * GAP
  const [tileWidth, tileHeight] = [pictures.width * scale, pictures.height * scale]
  const width = labelWidth + columns * (tileWidth + GAP) + GAP
  return { width, height: rows * (tileHeight + GAP) + GAP, labelWidth, tileWidth, tileHeight }
}

/** Scale at which pictures of this size can be looked at: tiles of about 64 pixels. */
export function comfortableScale({ height, width }: Pick<Pictures, 'height' | 'width'>): number {
  return Math.max(1, Math.round(64 / Math.max(height, width)))
}

/** All pictures on a white sheet, row by row, with a label before each row; PNG. */
export async function gridPng(pictures: Pictures, options: GridOptions): Promise<Buffer> {
  const { columns, scale, rowLabels = [] } = options
  const layout = gridLayout(pictures, options)
  const { width, height, labelWidth, tileWidth, tileHeight } = layout
  const sheet = new Uint8Array(width * height * 3).fill(255)
  for (let n = 0; n < pictures.count; n++) {
    const left = labelWidth + GAP + (n % columns) * (tileWidth + GAP)
    const top = GAP + Math.floor(n / columns) * (tileHeight + GAP)
    const source = picture(pictures, n)
    for (let row = 0; row < tileHeight; row++) {
      for (let column = 0; column < tileWidth; column++) {
        const from = (Math.floor(row / scale) * pictures.width + Math.floor(column / scale)) * 3
        sheet.set(source.subarray(from, from + 3), ((top + row) * width + left + column) * 3)
      }
    }
  }
  const image = await rawImage(sheet, width, height)
  return (labelWidth > 0 ? image.composite([{ input: labelStrip(layout, rowLabels), left: 0, top: 0 }]) : image)
    .png()
    .toBuffer()
}

/** A picture alone, at its own size; PNG. */
export async function picturePng(pictures: Pictures, index: number): Promise<Buffer> {
  const { width, height } = pictures
  return (await rawImage(picture(pictures, index), width, height)).png().toBuffer()
}

/** Sharp is loaded here: a machine for which it has no binary can still run what makes no pictures. */
async function rawImage(rgb: Uint8Array, width: number, height: number): Promise<Sharp> {
  const { default: sharp } = await import('sharp')
  return sharp(rgb, { raw: { width, height, channels: 3 } })
}

function labelStrip({ labelWidth, height, tileHeight }: GridLayout, labels: readonly string[]): Buffer {
  const texts = labels.map((label, row) => {
    const y = GAP + row * (tileHeight + GAP) + tileHeight / 2 + FONT_SIZE * 0.36
    return `<text x="${labelWidth - GAP}" y="${y}" text-anchor="end">${escapeXml(label)}</text>`
  })
  return svgToPng(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${labelWidth}" height="${height}">` +
      `<rect width="100%" height="100%" fill="#fff"/><g font-family="${FONT}" font-size="${FONT_SIZE}" fill="#222">${texts.join('')}</g></svg>`,
  )
}
