import { normals, randomStream, uniforms } from '@dit/random'
import { recogniseSprite, type SpriteClass, spritesDataset } from '../../src/index.js'

const PIXELS = 32 * 32

/** What the recogniser says of pictures. */
export function names(images: readonly Float32Array[]): (SpriteClass | 'none')[] {
  return images.map((image) => recogniseSprite(image).sprite)
}

/** Share of the answers that are `wanted`. */
export function share<T>(answers: readonly T[], wanted: (answer: T, row: number) => boolean): number {
  return answers.filter(wanted).length / answers.length
}

/** The first sprites of a dataset. */
export async function sprites(count: number, seed = 11): Promise<{ images: Float32Array[]; labels: Int32Array }> {
  const { x0, labels } = await spritesDataset({ seed }).read(Array.from({ length: count }, (_, i) => i))
  const images = Array.from({ length: count }, (_, i) => x0.subarray(i * 3 * PIXELS, (i + 1) * 3 * PIXELS))
  return { images, labels }
}

/** Normal, then uniform noise, alternately. */
export function noise(count: number): Float32Array[] {
  return Array.from({ length: count }, (_, i) =>
    i % 2 === 0
      ? normals(randomStream(4, i), 3 * PIXELS)
      : uniforms(randomStream(5, i), 3 * PIXELS).map((u) => 2 * u - 1),
  )
}

/** Each picture with normal noise of this deviation. */
export function noisy(images: readonly Float32Array[], deviation: number): Float32Array[] {
  return images.map((image, i) => {
    const z = normals(randomStream(6, i), image.length)
    return image.map((value, at) => value + deviation * z[at])
  })
}

/** Mean of pictures. */
export function average(images: readonly Float32Array[]): Float32Array {
  return images[0].map((_, at) => images.reduce((sum, image) => sum + image[at], 0) / images.length)
}

/** Box blur over 3 x 3 pixels, cut at the borders. */
export function blurred(image: Float32Array): Float32Array {
  return image.map((_, at) => {
    const [plane, y, x] = [Math.floor(at / PIXELS), Math.floor(at / 32) % 32, at % 32]
    let [sum, count] = [0, 0]
    for (let row = Math.max(0, y - 1); row <= Math.min(31, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(31, x + 1); column++) {
        sum += image[plane * PIXELS + row * 32 + column]
        count++
      }
    }
    return sum / count
  })
}

/** The upper half of one picture over the lower half of another. */
export function halves(upper: Float32Array, lower: Float32Array): Float32Array {
  return upper.map((value, at) => (at % PIXELS < PIXELS / 2 ? value : lower[at]))
}
