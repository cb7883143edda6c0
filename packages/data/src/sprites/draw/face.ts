import { mark, paint, type Canvas } from '../canvas.js'
import { both, disc, plate } from '../forms.js'
import { MATERIALS } from '../materials.js'
import { TONES } from '../ramp.js'

const { pale, ink } = MATERIALS
const { outline, light, shine } = TONES

/** An eye: a white with a pupil that looks somewhere and a glint. */
export function eye(c: Canvas, x: number, y: number, radius: number, lookX: number, lookY: number): void {
  paint(c, pale, disc(x, y, radius, radius, light), { edged: true })
  const pupil = radius > 2.4 ? 1.5 : radius > 1.6 ? 1 : 0.9
  const [px, py] = [x + lookX * (radius - pupil), y + lookY * (radius - pupil)]
  mark(c, ink, disc(px, py, pupil, pupil, outline))
  if (radius > 2.4) mark(c, pale, disc(px - 0.5, py - 0.5, 0.6, 0.6, shine))
}

/** Two small dark eyes and a mouth below them: the face of things that are not alive. `apart` of 3 has room for glints. */
export function smallFace(c: Canvas, x: number, y: number, apart: number, mouth: SmallMouth): void {
  const drop = apart < 3 ? 0 : 1
  for (const side of [-1, 1]) {
    const at = side < 0 ? x - apart - 1 : x + apart - drop
    mark(c, ink, plate(at, y - 1, at + 1 + drop, y + 1, outline))
    if (drop > 0) mark(c, pale, plate(at, y - 1, at + 1, y, light))
  }
  const low = y + drop
  if (mouth !== 'open') mark(c, ink, plate(x - 1, low + 1, x + 1, low + 2, outline))
  if (mouth === 'smile') mark(c, ink, both(x, plate(x - 2, low, x - 1, low + 1, outline)))
  if (mouth === 'open') mark(c, ink, plate(x - 1, low, x + 1, low + 2, outline))
}

/** What `smallFace` can do with its mouth. */
export type SmallMouth = 'smile' | 'open' | 'flat'
