import { groundShadow, mark, paint, type Canvas } from '../canvas.js'
import type { Draws } from '../draws.js'
import { ball, both, box, disc, plate, stroke } from '../forms.js'
import { MATERIALS } from '../materials.js'
import { TONES } from '../ramp.js'

const { body, second, accent, ink } = MATERIALS
const { outline, shadow, base, light, shine } = TONES

/** A robot from the front: boxy head with lights, antennae, a chest with a panel, arms, and legs or a track. */
export function robot(c: Canvas, d: Draws, x: number, floor: number): void {
  const headHalf = d.whole(6, 8)
  const headTall = d.whole(6, 8)
  const headRound = d.pick([1, 2, 3])
  const chestHalf = d.whole(4, 6)
  const chestTall = d.whole(6, 8)
  const antenna = d.pick(['one', 'two', 'ears', 'dish'] as const)
  const eyes = d.pick(['round', 'square', 'visor', 'lens'] as const)
  const mouth = d.pick(['grille', 'line', 'none'] as const)
  const panel = d.pick(['screen', 'lamps', 'heart', 'gauge'] as const)
  const legs = d.pick(['legs', 'track', 'wheel'] as const)
  const arms = d.pick(['down', 'up', 'out'] as const)
  const isTwoTone = d.chance(0.5)

  const legTall = 4
  const chestY = floor - legTall - chestTall
  const top = chestY - headTall
  groundShadow(c, disc(x + 1, floor - 0.4, chestHalf + 3.5, 1.8, shadow))
  drawAntenna(c, antenna, x, top, headHalf)
  drawLegs(c, legs, x, floor, chestHalf)
  drawArms(c, arms, x, chestY, chestHalf)
  paint(c, isTwoTone ? second : body, box(x - chestHalf, chestY, x + chestHalf, floor - legTall + 0.5, 1), {
    edged: true,
  })
  drawPanel(c, panel, x, chestY + 2, chestHalf - 2)
  paint(c, body, box(x - headHalf, top, x + headHalf, chestY, headRound), { edged: true })
  const eyeY = top + Math.floor(headTall / 2) - 1
  drawEyes(c, eyes, x, eyeY, headHalf)
  if (mouth === 'line') mark(c, ink, plate(x - 2, chestY - 2, x + 2, chestY - 1, outline))
  if (mouth === 'grille')
    for (const at of [-3, -1, 1]) mark(c, ink, plate(x + at, chestY - 2, x + at + 1, chestY - 1, outline))
}

function drawEyes(c: Canvas, eyes: 'round' | 'square' | 'visor' | 'lens', x: number, y: number, half: number): void {
  if (eyes === 'visor') {
    mark(c, ink, plate(x - half + 1, y - 1, x + half - 1, y + 3, outline))
    mark(c, accent, plate(x - half + 2, y, x + half - 2, y + 2, base))
    mark(c, accent, plate(x - half + 2, y, x - half + 4, y + 1, shine))
  } else if (eyes === 'lens') {
    mark(c, ink, disc(x, y + 1, 2.9, 2.9, outline))
    mark(c, accent, disc(x, y + 1, 2, 2, base))
    mark(c, accent, plate(x - 1, y, x, y + 1, shine))
  } else {
    const from = eyes === 'round' ? 2.3 : 2
    for (const side of [-1, 1]) {
      const at = x + side * 3
      mark(
        c,
        ink,
        eyes === 'round' ? disc(at, y + 1, from, from, outline) : plate(at - 2, y - 1, at + 2, y + 3, outline),
      )
      mark(c, accent, plate(at - 1, y, at + 1, y + 2, light))
      mark(c, accent, plate(at - 1, y, at, y + 1, shine))
    }
  }
}

function drawAntenna(c: Canvas, antenna: 'one' | 'two' | 'ears' | 'dish', x: number, top: number, half: number): void {
  if (antenna === 'one') {
    paint(c, body, plate(x - 1, top - 2, x + 1, top + 1, shadow))
    paint(c, accent, ball(x, top - 3, 1.9, 1.9))
  } else if (antenna === 'two') {
    paint(c, body, both(x, stroke([x - 3, top + 1], [x - 5, top - 3], 1.2, shadow)))
    paint(c, accent, both(x, ball(x - 5, top - 3, 1.5, 1.5, false)))
  } else if (antenna === 'ears') {
    paint(c, accent, both(x, box(x - half - 2, top + 2, x - half + 1, top + 6, 1)))
  } else {
    paint(c, body, plate(x - 1, top - 2, x + 1, top + 1, shadow))
    paint(c, second, box(x - 4, top - 3, x + 4, top - 1, 1))
  }
}

function drawLegs(c: Canvas, legs: 'legs' | 'track' | 'wheel', x: number, floor: number, half: number): void {
  if (legs === 'track') {
    paint(c, second, box(x - half - 2, floor - 4, x + half + 2, floor, 2))
    for (let at = -half; at <= half; at += 3)
      mark(c, ink, plate(x + at - 0.5, floor - 3, x + at + 1, floor - 1, outline))
  } else if (legs === 'wheel') {
    paint(c, body, plate(x - 1.5, floor - 5, x + 1.5, floor - 2, shadow))
    paint(c, second, ball(x, floor - 2.6, 3.6, 3, false))
    mark(c, second, disc(x, floor - 2.6, 1.2, 1.2, light))
  } else {
    paint(c, body, both(x, plate(x - half + 1, floor - 4, x - half + 3, floor - 1, shadow)))
    paint(c, second, both(x, box(x - half - 0.5, floor - 2, x - half + 4, floor, 1)))
  }
}

function drawArms(c: Canvas, arms: 'down' | 'up' | 'out', x: number, y: number, half: number): void {
  const [shoulder, hand] = [x - half - 0.5, x - half - 2.5]
  const handY = arms === 'down' ? y + 6.5 : arms === 'out' ? y + 3 : y - 2
  paint(c, body, both(x, stroke([shoulder, y + 2.5], [hand, handY], 2, base)))
  paint(c, second, both(x, ball(hand - (arms === 'out' ? 1 : 0.5), handY, 1.9, 1.9, false)))
}

function drawPanel(c: Canvas, panel: 'screen' | 'lamps' | 'heart' | 'gauge', x: number, y: number, half: number): void {
  if (panel === 'screen') {
    mark(c, ink, plate(x - half, y, x + half, y + 3, outline))
    mark(c, accent, plate(x - half + 1, y + 1, x + half - 1, y + 2, base))
  } else if (panel === 'lamps') {
    for (const at of [-2, 0, 2]) mark(c, accent, plate(x + at - 0.5, y, x + at + 0.5, y + 1, at === 0 ? shine : base))
    mark(c, ink, plate(x - 2, y + 2, x + 2, y + 3, outline))
  } else if (panel === 'heart') {
    mark(c, accent, plate(x - 2, y, x + 2, y + 2, base))
    mark(c, accent, plate(x - 1, y + 2, x + 1, y + 3, base))
    mark(c, accent, plate(x - 2, y, x - 1, y + 1, shine))
  } else {
    mark(c, ink, disc(x, y + 1.5, 2.4, 2.4, outline))
    mark(c, accent, disc(x, y + 1.5, 1.4, 1.4, light))
  }
}
