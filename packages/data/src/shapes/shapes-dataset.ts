import type { Batch, Dataset, ReadOptions } from '../dataset.js'
import { checkRead } from '../check-read.js'
import { drawShape, shapeDrawing } from './shape-drawing.js'
import type { ShapeDrawing } from './shape-drawing.js'
import { SHAPE_CLASSES } from './shape-mask.js'

/** Options of `shapesDataset`. */
export interface ShapesOptions {
  /** side of the square pictures in pixels, at least 4 (default 32; shapes are told apart from 16 on) */
  readonly size?: number
  /** number of examples (default 60,000); examples are drawn when read, so a large number costs nothing */
  readonly length?: number
  /** another seed gives other examples (default 0) */
  readonly seed?: number
}

/** A generated dataset, which also tells how each picture was drawn. */
export interface ShapesDataset extends Dataset {
  /** The drawing behind example `index`, without flip. */
  drawing(index: number): ShapeDrawing
}

/**
 * A generated dataset: one flat shape on a flat background, in six classes, with varied colour, size, position and
 * background, antialiased. Nothing is stored: an example is a pure function of (seed, index, size), and its drawing
 * does not depend on the size.
 *
 * @throws RangeError when `size` or `length` is out of range
 *
 * @example
 * const shapes = shapesDataset({ size: 16, seed: 7 })
 * const { x0, labels } = await shapes.read([0, 1, 2]) // x0 [3, 3, 16, 16]
 */
export function shapesDataset({ size = 32, length = 60_000, seed = 0 }: ShapesOptions = {}): ShapesDataset {
  if (!Number.isSafeInteger(size) || size < 4) {
    throw new RangeError(`shapesDataset: size must be an integer of at least 4 (size is ${size})`)
  }
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new RangeError(`shapesDataset: length must be a positive integer (length is ${length})`)
  }
  const drawing = (index: number) => shapeDrawing(seed, index)
  const read = async (indices: ArrayLike<number>, options: ReadOptions = {}): Promise<Batch> => {
    checkRead('shapesDataset', length, indices, options)
    const pixels = 3 * size * size
    const x0 = new Float32Array(indices.length * pixels)
    const labels = new Int32Array(indices.length)
    for (let row = 0; row < indices.length; row++) {
      const example = drawing(indices[row])
      x0.set(drawShape(options.flips?.[row] ? mirrored(example) : example, size), row * pixels)
      labels[row] = example.label
    }
    return { x0, labels }
  }
  const labels = () => Int32Array.from({ length }, (_, index) => drawing(index).label)
  return { length, classes: SHAPE_CLASSES, shape: [3, size, size], drawing, labels, read }
}

/** Every shape is its own mirror image, so that a flip only moves the centre. */
function mirrored(drawing: ShapeDrawing): ShapeDrawing {
  const [x, y] = drawing.position
  return { ...drawing, position: [1 - x, y] }
}
