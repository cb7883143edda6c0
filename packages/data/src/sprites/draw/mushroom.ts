import { groundShadow, mark, paint, type Canvas } from '../canvas.js'
import type { Draws } from '../draws.js'
import { column, disc, type Form, plate, stroke, toned, where, within } from '../forms.js'
import { MATERIALS } from '../materials.js'
import { TONES } from '../ramp.js'
import { smallFace } from './face.js'

const { body, second, accent, pale } = MATERIALS
const { shadow, base, light, shine } = TONES

/** A toadstool: a wide dotted cap on a thick stem, often with a face and some grass. */
export function mushroom(c: Canvas, d: Draws, x: number, floor: number): void {
  const capHalf = d.between(10, 13)
  const capTall = d.between(9, 12.5)
  const point = d.between(0, 1)
  const stemHalf = d.between(4.4, 6.2)
  const flare = d.between(0.9, 1.3)
  const stemTall = d.between(8, 11)
  const dots = d.pick(['big', 'small', 'ring', 'stripes'] as const)
  const hasFace = d.chance(0.65)
  const mouth = d.pick(['smile', 'open', 'flat'] as const)
  const hasSkirt = d.chance(0.4)
  const grass = d.whole(0, 2)
  const rim = floor - stemTall
  const top = rim - capTall + 2.5

  groundShadow(c, disc(x + 1.5, floor - 0.4, stemHalf * flare + 2.5, 2, shadow))
  const stem = column(
    x,
    rim - 1,
    floor,
    stemHalf * Math.max(1, flare),
    (v) => stemHalf * (v < 0.5 ? 1 : 1 + (flare - 1) * (2 * v - 1)) * (v > 0.92 ? 0.86 : 1),
  )
  paint(c, second, stem)
  mark(c, second, within(stem, plate(0, rim, 32, rim + 3, shadow)))
  if (hasSkirt)
    paint(c, second, plate(x - stemHalf - 1.4, rim + 3, x + stemHalf + 1.4, rim + 4.6, light), { edged: true })
  const dome = (v: number) =>
    capHalf *
    ((1 - point) * Math.sqrt(Math.max(0, 2 * v - v * v)) + point * (v < 0.86 ? 0.22 + 0.9 * v : 1)) *
    (v > 0.93 ? 0.93 : 1)
  const cap = column(x, top, rim + 2, capHalf, dome)
  const shaded = toned(cap, (px, py, tone) => {
    if (py > rim + 0.2) return shadow
    return py < top + capTall * 0.42 && tone === base && px < x + 2 ? light : tone
  })
  paint(c, body, shaded, { edged: true })
  drawDots(c, dots, x, top, rim, capHalf, cap)
  if (hasFace) smallFace(c, x, Math.round(floor - stemTall / 2 + 1.2), 2, mouth)
  for (let k = 0; k < grass; k++) {
    const at = x + (k === 0 ? -stemHalf - 3 : stemHalf + 3)
    for (const lean of [-1.5, 0, 1.5])
      paint(c, accent, stroke([at + lean * 0.5, floor], [at + lean, floor - 2.5], 1, base))
  }
}

function drawDots(
  c: Canvas,
  dots: 'big' | 'small' | 'ring' | 'stripes',
  x: number,
  top: number,
  rim: number,
  half: number,
  cap: Form,
): void {
  const dot = (dx: number, dy: number, r: number) => {
    mark(c, pale, within(cap, disc(x + dx, top + dy, r, r * 0.9, base)))
    mark(c, pale, within(cap, disc(x + dx - 0.4, top + dy - 0.4, r * 0.6, r * 0.5, shine)))
  }
  const tall = rim - top
  if (dots === 'big') {
    dot(-half * 0.16, tall * 0.42, 2.5)
    dot(half * 0.52, tall * 0.66, 2.1)
    dot(-half * 0.68, tall * 0.78, 1.8)
    dot(half * 0.26, tall * 0.12, 1.3)
  } else if (dots === 'small') {
    for (const [u, v] of [
      [-0.5, 0.5],
      [0, 0.3],
      [0.45, 0.5],
      [-0.72, 0.86],
      [-0.2, 0.76],
      [0.2, 0.82],
      [0.72, 0.84],
    ])
      dot(u * half, v * tall, 1.2)
  } else if (dots === 'ring') {
    mark(c, pale, within(cap, plate(0, top + tall * 0.52, 32, top + tall * 0.76)))
  } else {
    for (const u of [-0.55, 0, 0.55]) {
      mark(
        c,
        pale,
        where(
          toned(cap, () => base),
          (px, py) => Math.abs(px - x - u * half * ((py - top) / tall)) < 1.1,
        ),
      )
    }
  }
}
