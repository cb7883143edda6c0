import { TONES } from './ramp.js'

const { shadow, base, light, shine } = TONES

/** What of a form is at a pixel: a tone, or -1 where the form is not. Coordinates are of pixel centres. */
export type ToneAt = (x: number, y: number) => number

/** A form of a part: its tones within bounds. All are lit from the upper left; places are in pixels of the grid. */
export interface Form {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly toneAt: ToneAt
}

/** A ball: three tones by how far its surface turns to the light, dithered between them, with a shine. */
export function ball(cx: number, cy: number, rx: number, ry: number, hasShine = true): Form {
  return blob(cx, cy, rx, ry, { hasShine })
}

/** How a blob departs from a ball. */
export interface BlobOptions {
  /** exponent of the outline: 2 (ellipse), 3 or 4 (nearly a box) */
  readonly power?: number
  readonly hasShine?: boolean
  /** how much wider the lower half is than the upper, as a share of the radius */
  readonly spread?: number
}

/** A ball whose outline is |u|^p + |v|^p = 1. */
export function blob(
  cx: number,
  cy: number,
  rx: number,
  ry: number,
  { power = 2, hasShine = true, spread = 0 }: BlobOptions = {},
): Form {
  const reach = rx * (1 + spread)
  const dither = rx > 4 ? DITHER : 0
  return form(cx - reach, cy - ry, cx + reach, cy + ry, (x, y) => {
    const v = (y - cy) / ry
    const u = (x - cx) / (rx * (1 + spread * v))
    if (powers(Math.abs(u), power) + powers(Math.abs(v), power) > 1) return -1
    if (hasShine && square(u + 0.42) + square(v + 0.5) < 0.035) return shine
    return threeTones(-0.6 * u - 0.8 * v, x, y, dither)
  })
}

/** A box with rounded corners of `r` pixels, lit along its upper and left edge, in shadow along the others. */
export function box(x0: number, y0: number, x1: number, y1: number, r = 1): Form {
  return form(x0, y0, x1, y1, (x, y) => {
    const dx = Math.max(x0 + r - x, x - (x1 - r), 0)
    const dy = Math.max(y0 + r - y, y - (y1 - r), 0)
    if (dx * dx + dy * dy > r * r) return -1
    if (x > x1 - 1.2 || y > y1 - 1.2) return shadow
    return y < y0 + 1.2 || x < x0 + 1.2 ? light : base
  })
}

/** A rectangle of one tone. */
export function plate(x0: number, y0: number, x1: number, y1: number, tone: number = base): Form {
  return form(x0, y0, x1, y1, () => tone)
}

/** An upright round body: `half(v)` is half its width at v, 0 at the top to 1 at the bottom, at most `reach`. */
export function column(cx: number, y0: number, y1: number, reach: number, half: (v: number) => number): Form {
  return form(cx - reach, y0, cx + reach, y1, (x, y) => {
    const width = half((y - y0) / (y1 - y0))
    const u = (x - cx) / width
    return Math.abs(u) <= 1 ? threeTones(-0.85 * u - 0.1, x, y, width > 4 ? DITHER : 0) : -1
  })
}

/** An ellipse of one tone. */
export function disc(cx: number, cy: number, rx: number, ry: number, tone: number = base): Form {
  return form(cx - rx, cy - ry, cx + rx, cy + ry, (x, y) =>
    square((x - cx) / rx) + square((y - cy) / ry) > 1 ? -1 : tone,
  )
}

/** A place, right and down of the grid's corner. */
export type Point = readonly [x: number, y: number]

/** A convex polygon of one tone, its corners in clockwise order: x and y of each in turn. */
export function polygon(corners: readonly number[], tone: number = base): Form {
  const [xs, ys] = [corners.filter((_, i) => i % 2 === 0), corners.filter((_, i) => i % 2 === 1)]
  return form(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (x, y) => {
    let [ax, ay] = [xs[xs.length - 1], ys[ys.length - 1]]
    for (let i = 0; i < xs.length; i++) {
      if ((xs[i] - ax) * (y - ay) - (ys[i] - ay) * (x - ax) < -0.01) return -1
      ax = xs[i]
      ay = ys[i]
    }
    return tone
  })
}

/** A stroke of one tone from one place to another, `width` pixels wide with round ends. */
export function stroke([ax, ay]: Point, [bx, by]: Point, width: number, tone: number = base): Form {
  const [dx, dy] = [bx - ax, by - ay]
  const length = dx * dx + dy * dy
  const r = width / 2
  const [left, right] = [Math.min(ax, bx) - r, Math.max(ax, bx) + r]
  return form(left, Math.min(ay, by) - r, right, Math.max(ay, by) + r, (x, y) => {
    const along = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length))
    return square(x - ax - along * dx) + square(y - ay - along * dy) > r * r ? -1 : tone
  })
}

/** A form and its mirror image about the vertical line at `cx`. */
export function both(cx: number, one: Form): Form {
  const { left, top, right, bottom, toneAt } = one
  return form(Math.min(left, 2 * cx - right), top, Math.max(right, 2 * cx - left), bottom, (x, y) => {
    const tone = x >= left && x <= right ? toneAt(x, y) : -1
    const across = 2 * cx - x
    return tone >= 0 || across < left || across > right ? tone : toneAt(across, y)
  })
}

/** The part of a form where a test holds. */
export function where(whole: Form, test: (x: number, y: number) => boolean): Form {
  return { ...whole, toneAt: (x, y) => (test(x, y) ? whole.toneAt(x, y) : -1) }
}

/** The part of a form that lies within another. */
export function within(outer: Form, inner: Form): Form {
  return where(inner, (x, y) => outer.toneAt(x, y) >= 0 && y >= outer.top && y <= outer.bottom)
}

/** A form with tones of its own. */
export function toned(whole: Form, tones: (x: number, y: number, tone: number) => number): Form {
  return {
    ...whole,
    toneAt: (x, y) => {
      const tone = whole.toneAt(x, y)
      return tone < 0 ? tone : tones(x, y, tone)
    },
  }
}

/** How far the chequerboard between two tones of a large body reaches, in light. */
const DITHER = 0.07

/** Tone by how much a surface faces the light, -1 to 1; `dither` widens the seams into a chequerboard. */
function threeTones(lit: number, x: number, y: number, dither: number): number {
  const nudged = lit + ((Math.floor(x) + Math.floor(y)) % 2 === 0 ? dither : -dither)
  if (nudged > 0.42) return light
  return nudged < -0.38 ? shadow : base
}

function form(left: number, top: number, right: number, bottom: number, toneAt: ToneAt): Form {
  return { left, top, right, bottom, toneAt }
}

function powers(value: number, power: number): number {
  const twice = value * value
  return power === 2 ? twice : power === 3 ? twice * value : twice * twice
}

function square(value: number): number {
  return value * value
}
