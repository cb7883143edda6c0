import { mark, paint, type Canvas } from '../canvas.js'
import type { Draws } from '../draws.js'
import { ball, both, box, column, disc, plate, polygon, where } from '../forms.js'
import { MATERIALS } from '../materials.js'
import { TONES } from '../ramp.js'

const { body, second, accent, pale } = MATERIALS
const { outline, shadow, base, light, shine } = TONES

/** A rocket that has just taken off: a pointed hull, fins, portholes, stripes and a flame. */
export function rocket(c: Canvas, d: Draws, x: number, floor: number): void {
  const half = d.between(4, 6.2)
  const tall = d.between(16, 19)
  const waist = d.between(0.66, 1)
  const noseShare = d.between(0.24, 0.4)
  const isNoseColored = d.chance(0.75)
  const windows = d.pick([1, 1, 2, 3])
  const fins = d.pick(['swept', 'square', 'round', 'boosters'] as const)
  const finReach = d.between(3, 5)
  const hasStripe = d.chance(0.5)
  const flame = d.between(0.5, 1)
  const hasMiddleFin = d.chance(0.5)
  const point = d.between(0, 1)
  const bottom = floor - 6
  const top = bottom - tall
  const hull = (v: number) =>
    v < 0.5
      ? half * ((1 - point) * Math.sqrt(Math.max(0, 4 * v * (1 - v))) + point * Math.min(1, 0.12 + 2.1 * v))
      : half * (1 - (1 - waist) * (2 * v - 1) * (2 * v - 1))
  const low = hull(1)

  paint(c, accent, flameAt(x, bottom, low * 0.8, 3 + 4 * flame, base), { bare: true })
  paint(c, accent, flameAt(x, bottom, low * 0.5, 1.8 + 2.4 * flame, shine), { bare: true })
  drawFins(c, fins, finReach, x, bottom, half, low)
  paint(c, second, box(x - low * 0.7, bottom - 1, x + low * 0.7, bottom + 1, 0.5))
  const round = column(x, top, bottom, half, hull)
  paint(c, body, round, { edged: true })
  const nose = where(round, (_, py) => py < top + tall * noseShare)
  const stripe = where(round, (_, py) => py > bottom - 4.5 && py < bottom - 2.5)
  if (isNoseColored) mark(c, second, nose)
  if (hasStripe) mark(c, second, stripe)
  const radius = windows === 1 ? 2.5 : windows === 2 ? 1.9 : 1.5
  for (let k = 0; k < windows; k++) {
    const y = Math.round(top + tall * Math.max(0.36, noseShare + 0.04)) + radius + k * (radius * 2 + 0.6)
    mark(c, second, disc(x, y, radius + 0.6, radius + 0.6, outline))
    mark(c, pale, disc(x, y, radius - 0.2, radius - 0.2, base))
    mark(c, pale, disc(x - 0.7, y - 0.7, 0.8, 0.8, shine))
  }
  if (hasMiddleFin) paint(c, second, plate(x - 1, bottom - 4, x + 1, bottom + 1, shadow), { edged: true })
}

function flameAt(x: number, y: number, half: number, tall: number, tone: number) {
  return polygon(
    [x - half, y, x + half, y, x + half * 0.6, y + tall * 0.5, x, y + tall, x - half * 0.6, y + tall * 0.5],
    tone,
  )
}

function drawFins(
  c: Canvas,
  fins: 'swept' | 'square' | 'round' | 'boosters',
  reach: number,
  x: number,
  y: number,
  half: number,
  low: number,
): void {
  const inside = x - low + 1.5
  const out = x - half - reach
  if (fins === 'swept') {
    paint(c, second, both(x, polygon([inside, y - 9, inside, y - 1, out, y + 2.5, out, y - 1.5], base)))
  } else if (fins === 'square') {
    paint(c, second, both(x, polygon([inside, y - 7, inside, y, out + 1, y + 1, out + 1, y - 4], base)))
  } else if (fins === 'round') {
    paint(c, second, both(x, ball(x - half - 1, y - 2, reach * 0.8, 4, false)))
  } else {
    const booster = column(x - half - 1.4, y - 9, y, 2.2, (v) => (v < 0.35 ? 2.2 * Math.sqrt(v / 0.35) : 2.2))
    paint(c, second, both(x, booster))
    mark(c, body, both(x, plate(x - half - 4, y - 3, x - half + 1, y - 2, light)))
  }
}
