import { randomStream, uniforms } from '@dit/random'
import { canvas, GRID, outline } from './canvas.js'
import { type Draws, drawsOf } from './draws.js'
import { NUM_PALETTE_DRAWS, palette } from './palette.js'
import { NUM_TONES } from './ramp.js'
import { drawClass, SPRITE_CLASSES, type SpriteClass } from './sprite-classes.js'

/** Numbers that decide the form of a sprite, some of which a class may leave unread. */
export const NUM_CHOICES = 24

/** Where sprites stand, in pixels from the top. Like those of a game's sheet they are all aligned. */
const FLOOR = 28

/** Everything that decides one sprite. */
export interface SpriteDrawing {
  readonly sprite: SpriteClass
  /** index of `sprite` in `SPRITE_CLASSES` */
  readonly label: number
  /** numbers in [0, 1) that decide the form; which decides what is the class's own */
  readonly choices: Float32Array
  /** numbers in [0, 1) that decide the colours */
  readonly colors: Float32Array
}

/** The drawing of example `index` of the dataset with this seed; classes take turns. */
export function spriteDrawing(seed: number, index: number): SpriteDrawing {
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new RangeError(`spriteDrawing: index must be a non-negative integer (index is ${index})`)
  }
  const draws = uniforms(randomStream(seed, 'sprites', index), NUM_CHOICES + NUM_PALETTE_DRAWS)
  const label = index % SPRITE_CLASSES.length
  return {
    sprite: SPRITE_CLASSES[label],
    label,
    choices: draws.subarray(0, NUM_CHOICES),
    colors: draws.subarray(NUM_CHOICES),
  }
}

/** `material * 5 + tone` of each pixel, `[32, 32]`. */
export function spriteCode(sprite: SpriteClass, choices: ArrayLike<number>): Uint8Array {
  return drawn(sprite, drawsOf(choices))
}

/** How many of its choices a class reads. */
export function choicesRead(sprite: SpriteClass): number {
  const d = drawsOf(new Float32Array(NUM_CHOICES))
  drawn(sprite, d)
  return d.numRead()
}

function drawn(sprite: SpriteClass, d: Draws): Uint8Array {
  const c = canvas()
  drawClass[sprite](c, d, GRID / 2, FLOOR)
  outline(c)
  return c.code
}

/** Paints a drawing, `[3, 32, 32]` in [-1, 1]. */
export function drawSprite(drawing: SpriteDrawing): Float32Array {
  const code = spriteCode(drawing.sprite, drawing.choices)
  const ramps = palette(drawing.sprite, drawsOf(drawing.colors))
  const picture = new Float32Array(3 * code.length)
  for (let at = 0; at < code.length; at++) {
    const colors = ramps[Math.floor(code[at] / NUM_TONES)]
    for (let channel = 0; channel < 3; channel++) {
      picture[channel * code.length + at] = colors[(code[at] % NUM_TONES) * 3 + channel] / 127.5 - 1
    }
  }
  return picture
}
