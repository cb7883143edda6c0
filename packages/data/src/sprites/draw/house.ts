import { groundShadow, mark, paint, type Canvas } from '../canvas.js'
import type { Draws } from '../draws.js'
import { ball, box, column, disc, type Form, plate, polygon, toned, where } from '../forms.js'
import { MATERIALS } from '../materials.js'
import { TONES } from '../ramp.js'

const { body, second, accent, pale, ink } = MATERIALS
const { outline, shadow, base, light, shine } = TONES

/** A cottage: walls, a tiled roof, a door, lit windows, a chimney with smoke, and bushes. */
export function house(c: Canvas, d: Draws, x: number, floor: number): void {
  const half = d.between(8, 11)
  const wallTall = d.whole(9, 12)
  const roofTall = d.between(8, 11)
  const roof = d.pick(['gable', 'barn', 'flat', 'round'] as const)
  const eaves = d.between(1, 2.6)
  const chimneySide = d.pick([-1, 1])
  const hasSmoke = d.chance(0.7)
  const doorAt = d.pick([-0.5, 0, 0.5])
  const isDoorRound = d.chance(0.5)
  const windows = d.pick(['square', 'round', 'tall'] as const)
  const hasAttic = d.chance(0.6)
  const bushes = d.pick([0, 1, 2])
  const bricks = d.chance(0.4)
  const wallTop = floor - wallTall
  const top = wallTop - roofTall + 1

  groundShadow(c, disc(x + 1, floor, half + 3, 1.8, shadow))
  const chimney = x + chimneySide * half * 0.58
  const chimneyTop = wallTop - roofTall * (roof === 'gable' ? 0.8 : 0.98) - 1
  paint(c, ink, box(chimney - 1.8, chimneyTop, chimney + 1.8, wallTop, 0.5))
  paint(c, ink, plate(chimney - 2.4, chimneyTop - 0.5, chimney + 2.4, chimneyTop + 1, light))
  if (hasSmoke) {
    paint(c, body, disc(chimney + 0.6, chimneyTop - 2.6, 1.5, 1.3, light), { bare: true })
    paint(c, body, disc(chimney + 2.2, chimneyTop - 5, 2, 1.6, light), { bare: true })
  }
  const walls = plate(x - half, wallTop - 3, x + half, floor, base)
  paint(c, body, walls)
  mark(c, body, plate(x + half - 1.6, wallTop, x + half, floor, shadow))
  if (bricks)
    mark(
      c,
      body,
      where(
        toned(walls, () => shadow),
        isBrickSeam,
      ),
    )
  const doorX = Math.round(x + doorAt * half)
  const isMiddle = doorAt === 0
  paint(c, accent, door(doorX, floor, isDoorRound), { edged: true })
  mark(c, pale, plate(doorX + 1, floor - 3, doorX + 2, floor - 2, shine))
  const places = isMiddle ? [-0.62, 0.62] : [doorAt < 0 ? 0.42 : -0.42]
  for (const at of places) drawWindow(c, windows, Math.round(x + at * half), floor - 5, isMiddle ? 1.5 : 2.5)
  drawRoof(c, roof, x, top, wallTop, half + eaves)
  if (hasAttic && roof !== 'flat') drawWindow(c, 'round', x, wallTop - 3, 1.5)
  for (let k = 0; k < bushes; k++) {
    paint(c, second, ball(x + (k === 0 ? 1 : -1) * (half + 0.6), floor - 1.6, 2.6, 2.2, false))
  }
}

function isBrickSeam(x: number, y: number): boolean {
  const [column, row] = [Math.floor(x), Math.floor(y)]
  return row % 3 === 0 && (column + (row % 2) * 3) % 6 < 3
}

function door(x: number, floor: number, isRound: boolean): Form {
  const whole = toned(plate(x - 2, floor - 7, x + 2, floor), (px) => (px < x - 1 ? light : px > x + 1 ? shadow : base))
  if (!isRound) return whole
  return where(whole, (px, py) => py > floor - 5 || (px - x) * (px - x) + (py - floor + 5) * (py - floor + 5) < 4.4)
}

function drawWindow(c: Canvas, form: 'square' | 'round' | 'tall', x: number, y: number, half: number): void {
  if (form === 'round') {
    mark(c, ink, disc(x, y, half + 1, half + 1, outline))
    mark(c, pale, disc(x, y, half, half, base))
    return
  }
  const [above, below] = form === 'tall' ? [3, 3] : [2, 2]
  mark(c, ink, plate(x - half - 1, y - above - 0.5, x + half + 1, y + below + 0.5, outline))
  mark(c, pale, plate(x - half, y - above + 0.5, x + half, y + below - 0.5, base))
  mark(c, pale, plate(x - half, y - above + 0.5, x - half + 1, y - above + 1.5, shine))
}

function drawRoof(
  c: Canvas,
  roof: 'gable' | 'barn' | 'flat' | 'round',
  x: number,
  top: number,
  y: number,
  half: number,
): void {
  const tall = y - top
  const tiles = (px: number, py: number): number => {
    const row = Math.floor((py - top) / 3)
    if (Math.floor(py - top) % 3 === 2) return shadow
    if ((Math.floor(px) + row * 2) % 4 === 0) return shadow
    return px < x - half * 0.2 ? light : base
  }
  const edge = y + 1
  if (roof === 'gable')
    paint(c, second, toned(polygon([x, top - 1, x + half, edge, x - half, edge]), tiles), { edged: true })
  else if (roof === 'barn')
    paint(
      c,
      second,
      toned(
        polygon([
          x - half * 0.3,
          top,
          x + half * 0.3,
          top,
          x + half * 0.8,
          top + tall * 0.5,
          x + half,
          edge,
          x - half,
          edge,
          x - half * 0.8,
          top + tall * 0.5,
        ]),
        tiles,
      ),
      { edged: true },
    )
  else if (roof === 'flat')
    paint(
      c,
      second,
      toned(
        polygon([x - half * 0.7, top + tall * 0.3, x + half * 0.7, top + tall * 0.3, x + half, edge, x - half, edge]),
        tiles,
      ),
      { edged: true },
    )
  else
    paint(
      c,
      second,
      toned(
        column(x, top, edge, half, (v) => half * Math.sqrt(Math.max(0, 2 * v - v * v))),
        tiles,
      ),
      { edged: true },
    )
}
