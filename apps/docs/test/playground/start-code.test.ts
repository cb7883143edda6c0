import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { randomStream, uniforms } from '@dit/random'
import { expect, test } from 'vitest'
import { blankPicture } from '../../src/playground/paint.js'
import { codeToPicture, pictureToCode } from '../../src/playground/start-code.js'

const noise = (side: number) => {
  const values = uniforms(randomStream(1, 'picture'), side * side * 4)
  const data = Uint8ClampedArray.from(values, (value, i) => (i % 4 === 3 ? 255 : Math.floor(value * 256)))
  return { width: side, height: side, data }
}

test('a picture comes back byte by byte, from letters that an address takes as they are', async () => {
  for (const side of [1, 7, 32]) {
    const picture = noise(side)
    const code = await pictureToCode(picture)
    expect(code).toMatch(/^[\w-]+$/)
    expect(new URLSearchParams({ code }).toString()).toBe(`code=${code}`)
    expect(await codeToPicture(code, side)).toEqual(picture)
  }
})

test('the letters are raw deflate of RGB in base64url, as others write it', async () => {
  const code = await pictureToCode(blankPicture(2, [1, 2, 3]))
  expect([...inflateRawSync(Buffer.from(code, 'base64url'))]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3])
})

test('a plain picture takes few letters', async () => {
  expect((await pictureToCode(blankPicture(32, [71, 68, 92]))).length).toBeLessThan(60)
})

test.each([
  ['letters of no base64', '***'],
  ['no deflate', 'AAAA'],
  ['too few bytes', deflateRawSync(Buffer.alloc(11)).toString('base64url')],
  ['too many bytes', deflateRawSync(Buffer.alloc(13)).toString('base64url')],
  ['far too many', deflateRawSync(Buffer.alloc(50_000_000)).toString('base64url')],
  ['nothing', ''],
])('refuses %s', async (_, code) => {
  await expect(codeToPicture(code, 2)).rejects.toThrow('codeToPicture: the letters must be a picture of 2 x 2 pixels')
})
