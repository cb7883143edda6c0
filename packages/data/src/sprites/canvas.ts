import type { Form } from './forms.js'
import { NUM_TONES, TONES } from './ramp.js'

/** Side of the grid on which sprites are drawn. */
export const GRID = 32

/** How a part is put over those before it. */
export interface PaintOptions {
  /** draws its edge on the parts below it (default false) */
  readonly edged?: boolean
  /** has no outline against the ground, like a flame (default false) */
  readonly bare?: boolean
}

/** A picture in materials and tones; colours come last. */
export interface Canvas {
  /** `material * 5 + tone` of each pixel, `[32, 32]`; below 5 is ground */
  readonly code: Uint8Array
  /** number of the part at each pixel, 0 for ground; later parts have higher numbers */
  readonly part: Uint8Array
  /** of each part, by number */
  readonly parts: PaintOptions[]
}

/** A canvas of ground: its base tone with a round glow behind the sprite. */
export function canvas(): Canvas {
  ground ??= drawGround()
  return { code: ground.slice(), part: new Uint8Array(GRID * GRID), parts: [{}] }
}

/** Squares of the radii of the glow's two steps. */
const [GLOW, CORE] = [15.5 * 15.5, 11.5 * 11.5]

/** Drawn once, when the first canvas is made. */
let ground: Uint8Array | undefined

function drawGround(): Uint8Array {
  return Uint8Array.from({ length: GRID * GRID }, (_, at) => {
    const [x, y] = [(at % GRID) + 0.5 - GRID / 2, Math.floor(at / GRID) + 0.5 - GRID / 2]
    const reach = x * x + y * y
    return reach < CORE ? TONES.shine : reach < GLOW ? TONES.light : TONES.base
  })
}

/** Paints a part in a material over what is there. */
export function paint(c: Canvas, material: number, form: Form, options: PaintOptions = {}): void {
  const number = c.parts.push(options) - 1
  visit(form, (at, tone) => {
    c.code[at] = material * NUM_TONES + tone
    c.part[at] = number
  })
}

/** Colours pixels of the parts that are there, without being one: spots, lights, pupils. */
export function mark(c: Canvas, material: number, form: Form): void {
  visit(form, (at, tone) => {
    if (c.part[at] !== 0) c.code[at] = material * NUM_TONES + tone
  })
}

/** A shadow on the ground. */
export function groundShadow(c: Canvas, form: Form): void {
  visit(form, (at) => {
    if (c.part[at] === 0) c.code[at] = TONES.shadow
  })
}

function visit({ left, top, right, bottom, toneAt }: Form, see: (at: number, tone: number) => void): void {
  const [from, to] = [Math.max(0, Math.ceil(left - 0.5)), Math.min(GRID - 1, Math.floor(right - 0.5))]
  const [first, last] = [Math.max(0, Math.ceil(top - 0.5)), Math.min(GRID - 1, Math.floor(bottom - 0.5))]
  for (let row = first; row <= last; row++) {
    for (let column = from; column <= to; column++) {
      const tone = toneAt(column + 0.5, row + 0.5)
      if (tone >= 0) see(row * GRID + column, tone)
    }
  }
}

/**
 * Draws the outlines: ground beside a part takes the darkest tone of that part, and so does a part beside an edged part
 * that lies over it. Of several neighbours the upper one counts first, then the lower, left and right one.
 */
export function outline(c: Canvas): void {
  const { code, part } = c
  const before = code.slice()
  for (let at = 0; at < GRID * GRID; at++) {
    const own = part[at]
    const x = at % GRID
    // Most pixels have no neighbour of a later part.
    let source = -1
    if (at >= GRID && part[at - GRID] > own) source = lineFrom(c, before, at, at - GRID)
    if (source < 0 && at < GRID * (GRID - 1) && part[at + GRID] > own) source = lineFrom(c, before, at, at + GRID)
    if (source < 0 && x > 0 && part[at - 1] > own) source = lineFrom(c, before, at, at - 1)
    if (source < 0 && x < GRID - 1 && part[at + 1] > own) source = lineFrom(c, before, at, at + 1)
    if (source >= 0) code[at] = source - (source % NUM_TONES)
  }
}

/** The code whose darkest tone a pixel takes from a neighbour of a later part, or -1. */
function lineFrom({ part, parts }: Canvas, before: Uint8Array, at: number, next: number): number {
  const { bare = false, edged = false } = parts[part[next]]
  if (part[at] === 0) return bare ? -1 : before[next]
  return edged ? before[at] : -1
}
