import { groundShadow, mark, paint, type Canvas } from '../canvas.js'
import type { Draws } from '../draws.js'
import { ball, blob, box, column, disc, plate, polygon, stroke, toned, where } from '../forms.js'
import { MATERIALS } from '../materials.js'
import { TONES } from '../ramp.js'
import { smallFace } from './face.js'

const { body, second, accent, pale } = MATERIALS
const { shadow, base, light } = TONES

/** A plant in a pot: a flower, tulips, a cactus, long leaves or a bush with berries; some pots have a face. */
export function plant(c: Canvas, d: Draws, x: number, floor: number): void {
  const kind = d.pick(['flower', 'tulips', 'cactus', 'leaves', 'bush'] as const)
  const size = d.between(0, 1)
  const lean = d.between(-1, 1)
  const variant = d.whole(0, 2)
  const potHalf = d.between(5, 7)
  const potTall = d.whole(7, 9)
  const taper = d.between(0.74, 0.92)
  const decor = d.pick(['face', 'stripe', 'plain', 'face'] as const)
  const mouth = d.pick(['smile', 'open', 'flat'] as const)
  const potTop = floor - potTall

  groundShadow(c, disc(x + 1.5, floor - 0.4, potHalf + 1, 1.8, shadow))
  const foliage = { flower, tulips, cactus, leaves, bush }[kind]
  foliage(c, x, potTop + 1, size, lean, variant)
  const pot = column(x, potTop, floor, potHalf, (v) => potHalf * (1 - (1 - taper) * v))
  paint(c, second, pot, { edged: true })
  const stripe = where(pot, (_, py) => py > floor - 4 && py < floor - 2)
  if (decor === 'stripe') mark(c, accent, stripe)
  paint(c, second, box(x - potHalf - 1, potTop, x + potHalf + 1, potTop + 2.5, 0.8), { edged: true })
  if (decor === 'face') smallFace(c, x, Math.round(floor - potTall / 2 + 0.6), 2, mouth)
}

type Foliage = (c: Canvas, x: number, y: number, size: number, lean: number, variant: number) => void

const flower: Foliage = (c, x, y, size, lean, variant) => {
  const [top, radius] = [y - 11 - size * 1.5, 2.4 + size * 0.5]
  const head = x + lean * 1.5
  paint(c, body, stroke([x, y], [head, top], 1.6, shadow))
  leafPair(c, x, y - 4.5, 4 + size)
  const petals = variant === 0 ? DIAGONAL : variant === 1 ? UPRIGHT : [...DIAGONAL, ...UPRIGHT]
  for (const [dx, dy] of petals) {
    paint(c, accent, ball(head + dx * (radius + 0.4), top + dy * (radius + 0.4), radius, radius, false), {
      edged: variant !== 2,
    })
  }
  paint(c, pale, ball(head, top, radius * 0.8, radius * 0.8, false), { edged: true })
}

const UPRIGHT = [
  [0, 1],
  [1.15, 0],
  [-1.15, 0],
  [0, -1],
] as const
const DIAGONAL = [
  [0.85, 0.8],
  [-0.85, 0.8],
  [0.85, -0.75],
  [-0.85, -0.75],
] as const

const tulips: Foliage = (c, x, y, size, lean, variant) => {
  const heads =
    variant === 0
      ? [
          [-5, -8],
          [5, -9],
        ]
      : [
          [-6, -7],
          [6, -8],
          [0, -11],
        ]
  for (const [dx, dy] of heads) {
    const [hx, hy] = [x + dx + lean * 0.5, y + dy - size]
    paint(c, body, stroke([x + dx * 0.3, y], [hx, hy], 1.4, shadow))
    paint(c, accent, blob(hx, hy - 1, 2.6, 3, { power: 3, hasShine: false }))
    paint(c, accent, polygon([hx - 2.6, hy - 5.4, hx - 0.4, hy - 2, hx - 2.6, hy - 1], light))
    paint(c, accent, polygon([hx + 2.6, hy - 5.4, hx + 2.6, hy - 1, hx + 0.4, hy - 2], shadow))
  }
  leafPair(c, x, y - 2, 3.4 + size)
}

const cactus: Foliage = (c, x, y, size, lean, variant) => {
  const half = 3.2 + size * 1.2
  const top = y - 12 - size
  const trunk = column(x, top, y, half, (v) => half * (v < 0.25 ? Math.sqrt(Math.max(0, 8 * v - 16 * v * v)) : 1))
  const [left, right] = [y - 5 - lean, y - 6 + lean]
  paint(c, body, stroke([x - half, left], [x - half - 3.4, left], 2.6, base))
  paint(c, body, stroke([x - half - 3.6, left], [x - half - 3.6, left - 3.4], 2.8, base))
  if (variant > 0) {
    paint(c, body, stroke([x + half, right], [x + half + 3.4, right], 2.6, shadow))
    paint(c, body, stroke([x + half + 3.6, right], [x + half + 3.6, right - 3], 2.8, shadow))
  }
  paint(c, body, trunk, { edged: true })
  for (const [dx, dy] of [
    [-1.5, 4],
    [1, 6],
    [-0.8, 9],
    [1.8, 3],
    [1.6, 10],
  ])
    mark(c, pale, plate(x + dx - 0.5, top + dy - 0.5, x + dx + 0.5, top + dy + 0.5, light))
  paint(c, accent, ball(x + lean, top, 2, 1.7, false), { edged: true })
}

const leaves: Foliage = (c, x, y, size, lean, variant) => {
  const fan =
    variant === 0
      ? [
          [-8, -6],
          [8, -6],
          [-5, -11],
          [5, -11],
          [0, -13],
        ]
      : [
          [-9, -4],
          [9, -4],
          [-8, -9],
          [8, -9],
          [0, -13],
        ]
  fan.forEach(([dx, dy], k) => {
    const [tipX, tipY] = [x + dx * (0.86 + size * 0.12) + lean * 0.6, y + dy - size]
    const [nx, ny] = [-(tipY - y) * 0.22, (tipX - x) * 0.22]
    const [mx, my] = [x + (tipX - x) * 0.55, y + (tipY - y) * 0.55]
    const leaf = polygon([x, y, mx - nx, my - ny, tipX, tipY, mx + nx, my + ny])
    paint(
      c,
      body,
      toned(leaf, (px) => (dx > 0 ? (k % 2 ? base : shadow) : px < mx ? light : base)),
      { edged: true },
    )
    mark(c, body, stroke([x, y], [mx, my], 0.9, shadow))
  })
}

const bush: Foliage = (c, x, y, size, lean, variant) => {
  const radius = 6.6 + size * 1.4
  const top = y - radius - 2
  paint(c, second, plate(x - 1, y - 4, x + 1, y, shadow))
  if (variant === 1) for (const dx of [-5, 5]) paint(c, body, ball(x + dx, top + 2.5, 4.2, 4, false))
  paint(
    c,
    body,
    blob(x, top, radius, variant === 2 ? radius + 0.6 : radius * 0.92, {
      power: variant === 2 ? 2 : 3,
      hasShine: false,
    }),
  )
  for (const [dx, dy] of [
    [-3.5, -2.5],
    [2.5, -4],
    [4, 1.5],
    [-1, 1],
    [-5, 2.6],
  ])
    paint(c, accent, ball(x + dx + lean, top + dy, 1.3, 1.3, false))
}

function leafPair(c: Canvas, x: number, y: number, reach: number): void {
  paint(c, body, polygon([x, y + 2, x - reach * 0.6, y - 1.6, x - reach - 1, y - 2, x - reach * 0.6, y + 1.4], light))
  paint(c, body, polygon([x, y + 2, x + reach * 0.6, y + 1.4, x + reach + 1, y - 2, x + reach * 0.6, y - 1.6], base))
}
