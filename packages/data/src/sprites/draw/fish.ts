import { mark, paint, type Canvas } from '../canvas.js'
import type { Draws } from '../draws.js'
import { blob, disc, plate, polygon, where } from '../forms.js'
import { MATERIALS } from '../materials.js'
import { TONES } from '../ramp.js'
import { eye } from './face.js'

const { body, second, accent, pale, ink } = MATERIALS
const { outline, shadow, base, light, shine } = TONES

/** A fish that swims to the left: tail, fins, an eye, a pattern and bubbles. */
export function fish(c: Canvas, d: Draws, x: number, floor: number): void {
  const rx = d.between(7.4, 9.6)
  const ry = d.between(4.8, 8)
  const tail = d.pick(['fork', 'fan', 'round'] as const)
  const tailHalf = d.between(4, 6.5)
  const top = d.pick(['sail', 'spikes', 'low', 'shark'] as const)
  const topTall = d.between(2.4, 4.4)
  const pattern = d.pick(['plain', 'stripes', 'spots', 'belly', 'band'] as const)
  const eyeRadius = d.between(1.7, 2.6)
  const mouth = d.pick(['smile', 'pout', 'open'] as const)
  const numBubbles = d.whole(1, 3)
  const y = floor - 13
  const cx = x - 2.5
  const right = cx + rx

  drawTail(c, tail, right, y, tailHalf)
  drawTop(c, top, topTall, cx, y - ry, rx)
  paint(c, second, polygon([cx - 1, y + ry - 2, cx + 5, y + ry - 2, cx + 5.5, y + ry + 2.4], shadow))
  const shape = blob(cx, y, rx, ry)
  if (mouth === 'pout') paint(c, accent, disc(cx - rx, y + 1.4, 1.6, 1.7, base))
  paint(c, body, shape, { edged: true })
  const onBody = (test: (u: number, v: number) => boolean) =>
    where(shape, (px, py) => test((px - cx) / rx, (py - y) / ry))
  if (pattern === 'stripes')
    mark(
      c,
      second,
      onBody((u) => (u > -0.12 && u < 0.12) || (u > 0.38 && u < 0.6)),
    )
  if (pattern === 'band')
    mark(
      c,
      second,
      onBody((u) => u > 0.1 && u < 0.55),
    )
  if (pattern === 'belly')
    mark(
      c,
      second,
      onBody((_, v) => v > 0.3),
    )
  if (pattern === 'spots') {
    for (const [u, v] of [
      [0.1, -0.35],
      [0.5, -0.2],
      [0.35, 0.3],
      [0.75, 0.1],
    ]) {
      mark(c, second, disc(cx + u * rx, y + v * ry, 1.2, 1.2, base))
    }
  }
  paint(c, second, polygon([cx + 0.5, y + 0.5, cx + 5, y + 1, cx + 4.5, y + 4.2], light), { edged: true })
  eye(c, cx - rx * 0.48, y - ry * 0.2, eyeRadius, -0.4, 0.1)
  const lip = Math.round(y + ry * 0.4)
  if (mouth !== 'pout') {
    mark(c, ink, plate(cx - rx * 0.85, lip, cx - rx * 0.42, lip + 1, outline))
    if (mouth === 'open') mark(c, accent, plate(cx - rx * 0.85, lip - 1, cx - rx * 0.6, lip, base))
  }
  for (let k = 0; k < numBubbles; k++) {
    const [bx, by, br] = [
      [3.5, 7.5, 1.3],
      [6, 4, 1.2],
      [3.5, 2.5, 0.6],
    ][k]
    paint(c, pale, disc(x - 16 + bx, by, br, br, light), { bare: true })
    mark(c, pale, disc(x - 16 + bx - 0.5, by - 0.5, 0.6, 0.6, shine))
  }
}

function drawTail(c: Canvas, tail: 'fork' | 'fan' | 'round', x: number, y: number, half: number): void {
  if (tail === 'round') return paint(c, second, blob(x + 2.2, y, 3.4, half, { hasShine: false }))
  const end = Math.min(x + 6, 30)
  paint(c, second, polygon([x - 2, y - 1, end, y - half, end - 0.5, y - (tail === 'fork' ? 1 : 0), x, y + 1.5], base))
  paint(c, second, polygon([x - 2, y + 1, x, y - 1.5, end - 0.5, y + (tail === 'fork' ? 1 : 0), end, y + half], shadow))
}

function drawTop(
  c: Canvas,
  top: 'sail' | 'spikes' | 'low' | 'shark',
  tall: number,
  x: number,
  y: number,
  rx: number,
): void {
  if (top === 'sail')
    paint(
      c,
      second,
      polygon([x - rx * 0.4, y + 2, x - 1, y - tall, x + rx * 0.6, y - tall * 0.4, x + rx * 0.6, y + 3], base),
    )
  else if (top === 'low') paint(c, second, blob(x + 1, y + 1.4, rx * 0.55, tall * 0.8, { hasShine: false }))
  else if (top === 'shark') paint(c, second, polygon([x - 2, y + 2, x + 3, y - tall, x + 3.4, y + 2.4], base))
  else
    for (const at of [-4, -1, 2, 5])
      paint(c, second, polygon([x + at - 1.5, y + 2.5, x + at + 0.6, y - tall * 0.55, x + at + 2, y + 2.5], base))
}
