import sharp from 'sharp'
import { expect, test } from 'vitest'
import { gridPng } from '../../src/plot/grid.js'

test.each(['demonspawn', 'WWWWWWWWWWWW', 'i', 'a name of several words, and long'])(
  'the label %s keeps a margin on both sides',
  async (label) => {
    const pictures = { count: 2, height: 8, width: 8, pixels: new Uint8Array(2 * 192).fill(90) }
    const png = await gridPng(pictures, { columns: 1, rowLabels: [label, 'x'], scale: 8 })
    const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true })
    const isWhite = (x: number) =>
      Array.from({ length: info.height }, (_, y) => 3 * (y * info.width + x)).every((at) => data[at] > 250)
    const inked = Array.from({ length: info.width }, (_, x) => x).filter((x) => !isWhite(x))
    // Eight pixels, less one where a letter leans out of its box; the label and the tile of 64 pixels are all there is.
    expect(inked[0]).toBeGreaterThanOrEqual(7)
    expect(info.width - 1 - inked.at(-1)!).toBe(4)
    const tile = info.width - 4 - 64
    expect(Math.max(...inked.filter((x) => x < tile))).toBeLessThan(tile - 4)
  },
)

test('a grid without labels is only its tiles and the gaps between them', async () => {
  const pictures = { count: 2, height: 8, width: 8, pixels: new Uint8Array(2 * 192) }
  const { width, height } = await sharp(await gridPng(pictures, { columns: 2, scale: 1 })).metadata()
  expect([width, height]).toEqual([2 * 12 + 4, 12 + 4])
})
