import { toPng } from '@dit/pipeline'
import { expect, test } from 'vitest'
import { withTexts } from '../../src/playground/png-text.js'
import { chunksOf, textsOf } from './read-png.js'

const picture = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 255) }

test('texts stand after the header, with checksums, and the rest of the file stays', async () => {
  const png = await toPng(picture)
  const chunks = chunksOf(await withTexts(png, { Software: 'dit', Description: 'ein Ritter, größer als 你' }))
  expect(chunks.map(({ type }) => type)).toEqual(['IHDR', 'iTXt', 'iTXt', 'IDAT', 'IEND'])
  expect(chunks.filter(({ type }) => type !== 'iTXt')).toEqual(chunksOf(png))
  expect(textsOf(await withTexts(png, { Software: 'dit', Description: 'ein Ritter, größer als 你' }))).toEqual({
    Software: 'dit',
    Description: 'ein Ritter, größer als 你',
  })
})

test('no texts are no change', async () => {
  const png = await toPng(picture)
  expect(await withTexts(png, {})).toEqual(png)
})

test('says what is no PNG, and no keyword', async () => {
  await expect(withTexts(new Uint8Array(64), {})).rejects.toThrow('withTexts: the file must be a PNG (got 64 bytes')
  const png = await toPng(picture)
  for (const keyword of ['', ' a', 'a ', 'a\nb', 'ä', 'x'.repeat(80)]) {
    await expect(withTexts(png, { [keyword]: '' }), keyword).rejects.toThrow(
      'withTexts: a keyword must be 1 to 79 printable letters of ASCII',
    )
  }
})
