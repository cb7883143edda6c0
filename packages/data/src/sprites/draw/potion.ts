import { groundShadow, mark, paint, type Canvas } from '../canvas.js'
import type { Draws } from '../draws.js'
import { box, column, disc, plate, where, within } from '../forms.js'
import { MATERIALS } from '../materials.js'
import { TONES } from '../ramp.js'
import { smallFace } from './face.js'

const { body, second, accent, pale, ink } = MATERIALS
const { outline, shadow, base, light, shine } = TONES

/** A potion: a corked flask of glass with some coloured liquid, bubbles and a label. */
export function potion(c: Canvas, d: Draws, x: number, floor: number): void {
  const form = d.pick(['round', 'cone', 'square', 'tall', 'heart'] as const)
  const half = d.between(7, 10)
  const neckHalf = d.whole(2, 3)
  const neckTall = d.whole(3, 5)
  const level = d.between(0.12, 0.55)
  const label = d.pick(['none', 'star', 'heart', 'cross', 'skull', 'face', 'band'] as const)
  const bubbles = d.whole(0, 3)
  const corkTall = d.whole(2, 3)
  const hasCollar = d.chance(0.6)
  const tall = form === 'tall' ? 17 : form === 'square' ? 14 : 15
  const width = form === 'tall' ? half * 0.74 : half
  const top = floor - tall
  const neckTop = top - neckTall + 2
  const profile = profileOf(form, width, neckHalf)

  groundShadow(c, disc(x + 1.5, floor - 0.4, width + 1, 2, shadow))
  paint(c, second, box(x - neckHalf + 0.2, neckTop - corkTall, x + neckHalf - 0.2, neckTop + 1, 0.6))
  const flask = column(x, top, floor, width, profile)
  paint(c, pale, plate(x - neckHalf, neckTop, x + neckHalf, top + 2, base))
  mark(c, pale, plate(x - neckHalf, neckTop, x - neckHalf + 1, top + 2, shine))
  paint(c, pale, flask)
  if (hasCollar)
    paint(c, pale, plate(x - neckHalf - 1, neckTop, x + neckHalf + 1, neckTop + 1.5, light), { edged: true })
  const surface = Math.round(top + level * tall)
  const inner = column(x, top, floor - 1, width, (v) => Math.max(0, profile(v * (1 - 1 / tall)) - 1.1))
  const liquid = where(inner, (_, py) => py > surface)
  mark(c, body, liquid)
  mark(c, body, within(inner, plate(x - width, surface, x + width, surface + 1, light)))
  for (let k = 0; k < bubbles; k++) {
    mark(c, body, within(inner, disc(x + BUBBLES_X[k], surface + BUBBLES_Y[k], 0.9, 0.9, shine)))
  }
  drawLabel(c, label, x, floor - 6)
  const glint = plate(x - width * 0.66, floor - tall * 0.62, x - width * 0.42, floor - tall * 0.3, shine)
  mark(c, pale, within(inner, glint))
}

const BUBBLES_X = [2.5, -2.5, 3.5]
const BUBBLES_Y = [3, 5.5, 7.5]

type Flask = 'round' | 'cone' | 'square' | 'tall' | 'heart'

/** Half the width of a flask, from its shoulders (0) to its floor (1). */
function profileOf(form: Flask, half: number, neck: number): (v: number) => number {
  if (form === 'cone')
    return (v) => (v > 0.9 ? half - 0.6 : neck + (half - neck) * Math.min(1, Math.max(0, v - 0.08) * 1.15))
  if (form === 'square') return (v) => (v < 0.16 ? neck + (half - neck) * (v / 0.16) : v > 0.94 ? half - 1 : half)
  if (form === 'tall') return (v) => (v < 0.22 ? neck + (half - neck) * Math.sqrt(v / 0.22) : half)
  if (form === 'heart') {
    return (v) => Math.max(v < 0.2 ? neck : 1.5, half * circle(v < 0.36 ? 2.9 * (v - 0.36) : 1.53 * (v - 0.36)))
  }
  return (v) => Math.max(v < 0.3 ? neck : v > 0.9 ? half * 0.5 : 0, half * circle(2 * v - 1.04))
}

function circle(u: number): number {
  return Math.sqrt(Math.max(0, 1 - u * u))
}

type Label = 'none' | 'star' | 'heart' | 'cross' | 'skull' | 'face' | 'band'

function drawLabel(c: Canvas, label: Label, x: number, y: number): void {
  if (label === 'none') return
  if (label === 'face') return smallFace(c, x, y, 3, 'smile')
  if (label === 'band') {
    mark(c, accent, plate(x - 6, y - 2, x + 6, y + 2, base))
    mark(c, accent, plate(x - 4, y - 0.5, x + 4, y + 0.5, shadow))
    return
  }
  mark(c, pale, disc(x, y, 3.4, 3.4, light))
  if (label === 'star') {
    mark(c, accent, plate(x - 0.9, y - 2, x + 0.9, y + 2, base))
    mark(c, accent, plate(x - 2.5, y - 0.6, x + 2.5, y + 0.6, base))
  } else if (label === 'cross') {
    mark(c, accent, plate(x - 1, y - 2, x + 1, y + 2, base))
    mark(c, accent, plate(x - 2, y - 1, x + 2, y + 1, base))
  } else if (label === 'heart') {
    mark(c, accent, plate(x - 2, y - 1, x + 2, y + 1, base))
    mark(c, accent, plate(x - 1, y + 1, x + 1, y + 2, base))
  } else {
    mark(c, ink, plate(x - 2, y - 1, x - 1, y + 0.5, outline))
    mark(c, ink, plate(x + 1, y - 1, x + 2, y + 0.5, outline))
    mark(c, ink, plate(x - 1, y + 1, x + 1, y + 2, outline))
  }
}
