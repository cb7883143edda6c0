import { checkRead } from '../check-read.js'
import type { Batch, Dataset, ReadOptions } from '../dataset.js'
import { GRID } from './canvas.js'
import { SPRITE_CLASSES } from './sprite-classes.js'
import { drawSprite, spriteDrawing } from './sprite-drawing.js'

/** Options of `spritesDataset`. */
export interface SpritesOptions {
  /** side of the square pictures in pixels, 32 or a multiple of it (default 32); larger ones repeat each pixel */
  readonly size?: number
  /** number of examples (default 60,000); examples are drawn when read, so a large number costs nothing */
  readonly length?: number
  /** another seed gives other examples (default 0) */
  readonly seed?: number
}

/**
 * A generated dataset of pixel art in eight classes: creatures, robots, rockets, fish, potions, plants, mushrooms and
 * houses, each drawn by rule from some fifteen choices of form and up to a dozen of colour, on a calm ground, lit from the
 * upper left. Nothing is stored: an example is a pure function of (seed, index), to the bit on every engine, and its
 * values are those of an 8-bit picture.
 *
 * @throws RangeError when `size` or `length` is out of range
 *
 * @example
 * const sprites = spritesDataset({ seed: 7 })
 * const { x0, labels } = await sprites.read([0, 1, 2]) // x0 [3, 3, 32, 32]
 */
export function spritesDataset({ size = GRID, length = 60_000, seed = 0 }: SpritesOptions = {}): Dataset {
  checkSpriteSize('spritesDataset', size)
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new RangeError(`spritesDataset: length must be a positive integer (length is ${length})`)
  }
  const read = async (indices: ArrayLike<number>, options: ReadOptions = {}): Promise<Batch> => {
    checkRead('spritesDataset', length, indices, options)
    const x0 = new Float32Array(indices.length * 3 * size * size)
    const labels = new Int32Array(indices.length)
    for (let row = 0; row < indices.length; row++) {
      const drawing = spriteDrawing(seed, indices[row])
      enlarge(drawSprite(drawing), size, Boolean(options.flips?.[row]), x0, row * 3 * size * size)
      labels[row] = drawing.label
    }
    return { x0, labels }
  }
  const labels = () => Int32Array.from({ length }, (_, index) => index % SPRITE_CLASSES.length)
  return { length, classes: SPRITE_CLASSES, shape: [3, size, size], labels, read }
}

/** Throws unless sprites can be drawn at this size; `who` names the caller. */
export function checkSpriteSize(who: string, size: number): void {
  if (!Number.isSafeInteger(size) || size < GRID || size % GRID !== 0) {
    throw new RangeError(`${who}: size must be a multiple of ${GRID}, the grid of the drawings (size is ${size})`)
  }
}

/** Writes a picture of the grid into `out` from `start` on, each pixel repeated, mirrored where asked. */
function enlarge(picture: Float32Array, size: number, isFlipped: boolean, out: Float32Array, start: number): void {
  const scale = size / GRID
  for (let i = 0; i < 3 * size * size; i++) {
    const x = i % size
    const column = Math.floor((isFlipped ? size - 1 - x : x) / scale)
    const row = Math.floor((Math.floor(i / size) % size) / scale)
    out[start + i] = picture[(Math.floor(i / (size * size)) * GRID + row) * GRID + column]
  }
}
