import { groundShadow, mark, paint, type Canvas } from '../canvas.js'
import type { Draws } from '../draws.js'
import { ball, blob, both, disc, plate, polygon, stroke } from '../forms.js'
import { MATERIALS } from '../materials.js'
import { TONES } from '../ramp.js'
import { eye } from './face.js'

const { body, second, accent, pale, ink } = MATERIALS
const { outline, shadow, base, light } = TONES

/** A round little monster: one to three eyes, something on its head, a mouth, a belly, feet and arms. */
export function creature(c: Canvas, d: Draws, x: number, floor: number): void {
  const rx = d.between(7.6, 10.4)
  const ry = d.between(7, 9.2)
  const power = d.pick([2, 2, 3, 4])
  const spread = d.between(0, 0.16)
  const head = d.pick(['horns', 'ears', 'points', 'antennae', 'tuft', 'horn'] as const)
  const headSize = d.between(0, 1)
  const eyes = d.pick([1, 1, 2, 2, 2, 3])
  const eyeRadius = d.between(2, 3)
  const [lookX, lookY] = [d.between(-0.8, 0.8), d.between(-0.3, 0.8)]
  const mouth = d.pick(['smile', 'fang', 'teeth', 'open'] as const)
  const hasBelly = d.chance(0.55)
  const hasSpots = d.chance(0.5)
  const hasArms = d.chance(0.6)
  const armY = d.between(-0.1, 0.4)
  const y = floor - 2 - ry

  groundShadow(c, disc(x + 1, floor - 0.4, rx + 1, 2, shadow))
  topOfHead(c, head, headSize, x, y - ry, rx)
  if (hasArms) paint(c, body, both(x, ball(x - rx, y + armY * ry + 2, 2.4, 2.4, false)))
  paint(c, second, both(x, ball(x - rx * 0.5, floor - 1.2, 3.1, 2, false)))
  paint(c, body, blob(x, y, rx, ry, { power, spread }), { edged: true })
  if (hasBelly) mark(c, second, disc(x, y + ry * 0.62, rx * 0.56, ry * 0.36, light))
  if (hasSpots) {
    mark(c, body, both(x, disc(x - rx * 0.72, y + ry * 0.12, 1.2, 1.2, shadow)))
    mark(c, body, disc(x + rx * 0.62, y - ry * 0.52, 1.3, 1.3, shadow))
    mark(c, body, disc(x + rx * 0.35, y - ry * 0.75, 0.8, 0.8, shadow))
  }
  const eyeY = y - ry * 0.22
  if (eyes === 1) eye(c, x, eyeY, eyeRadius + 1.2, lookX, lookY)
  else if (eyes === 2) {
    for (const side of [-1, 1]) eye(c, x + side * (Math.round(eyeRadius) + 1), eyeY, eyeRadius, lookX, lookY)
  } else {
    for (const side of [-1, 1]) eye(c, x + side * 5, eyeY + 1, 1.7, lookX, lookY)
    eye(c, x, eyeY - 0.5, 2.1, lookX, lookY)
  }
  drawMouth(c, mouth, x, Math.round(y + ry * 0.36))
}

function drawMouth(c: Canvas, mouth: 'smile' | 'fang' | 'teeth' | 'open', x: number, y: number): void {
  if (mouth === 'open') {
    mark(c, ink, disc(x, y + 1, 3, 1.6, outline))
    mark(c, accent, disc(x, y + 1.8, 1.6, 0.9, base))
    return
  }
  mark(c, ink, plate(x - 3, y, x + 3, y + 1, outline))
  mark(c, ink, both(x, plate(x - 4, y - 1, x - 3, y, outline)))
  if (mouth === 'fang') mark(c, pale, both(x, plate(x - 2, y + 1, x - 1, y + 2, light)))
  if (mouth === 'teeth') {
    mark(c, ink, plate(x - 3, y, x + 3, y + 2, outline))
    for (const at of [-3, -1, 1]) mark(c, pale, plate(x + at, y, x + at + 1, y + 1, light))
  }
}

type Head = 'horns' | 'ears' | 'points' | 'antennae' | 'tuft' | 'horn'

function topOfHead(c: Canvas, head: Head, size: number, x: number, top: number, rx: number): void {
  const side = x - rx * 0.58
  const tall = 3 + size * 2.4
  if (head === 'horns') {
    paint(c, pale, both(x, polygon([side - 3, top - tall + 2, side + 2.6, top + 1.5, side - 1.6, top + 4.5], base)))
  } else if (head === 'ears') {
    paint(c, body, both(x, ball(side - 0.6, top + 1.6, 2.6 + size, 2.6 + size, false)))
    mark(c, accent, both(x, disc(side - 0.6, top + 1.6, 1.3 + size * 0.5, 1.3 + size * 0.5, base)))
  } else if (head === 'points') {
    paint(c, body, both(x, polygon([side - 1.4, top - tall + 1.4, side + 4, top + 2, side - 2.6, top + 6], base)))
    mark(c, accent, both(x, polygon([side - 0.6, top - tall + 4, side + 2, top + 2, side - 1.4, top + 4], base)))
  } else if (head === 'antennae') {
    paint(c, body, both(x, stroke([x - 2.5, top + 2], [x - 4.5, top - tall + 2], 1.3, shadow)))
    paint(c, accent, both(x, ball(x - 4.5, top - tall + 1, 1.7, 1.7, false)))
  } else if (head === 'tuft') {
    for (const lean of [-3, 3, 0])
      paint(c, second, stroke([x + lean * 0.3, top + 2], [x + lean, top - tall * 0.6], 2.2, base))
  } else {
    paint(c, pale, polygon([x, top - tall, x + 2.4, top + 2, x - 2.4, top + 2], base))
    mark(c, pale, plate(x - 3, top - 1, x + 3, top, shadow))
  }
}
