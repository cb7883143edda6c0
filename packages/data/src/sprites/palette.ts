import type { Draws } from './draws.js'
import { groundRamp, type Hsv, type Ramp, ramp } from './ramp.js'
import type { SpriteClass } from './sprite-classes.js'

/** Colours of the materials but the ground: body, second, accent, pale, ink. */
type Scheme = (d: Draws) => readonly [body: Hsv, second: Hsv, accent: Hsv, pale: Hsv, ink: Hsv]

const INK: Hsv = [0.72, 0.35, 0.3]
const WHITE: Hsv = [0.12, 0.06, 0.9]
/** Steps of hue that look well beside each other: near, a third away, opposite. */
const HARMONIES = [0.09, -0.09, 0.33, -0.33, 0.5, 0.42] as const

const SCHEMES: Readonly<Record<SpriteClass, Scheme>> = {
  creature: (d) => {
    const hue = d.between(0, 1)
    const other = hue + d.pick(HARMONIES)
    return [vivid(d, hue), vivid(d, other), [0.97, 0.5, 0.92], WHITE, INK]
  },
  robot: (d) => {
    const hue = d.between(0, 1)
    const metal: Hsv = [hue, d.pick([0.1, 0.16, 0.45]), d.between(0.66, 0.8)]
    const other = hue + d.pick(HARMONIES)
    return [
      metal,
      [other, d.between(0.2, 0.6), d.between(0.5, 0.68)],
      [d.pick([0.48, 0.14, 0.02, 0.33]), 0.75, 0.92],
      WHITE,
      INK,
    ]
  },
  rocket: (d) => {
    const hue = d.between(0, 1)
    const hull: Hsv = [hue + d.pick(HARMONIES), d.pick([0.05, 0.08, 0.3]), d.between(0.8, 0.88)]
    return [hull, vivid(d, hue), [d.pick([0.06, 0.09, 0.55]), 0.85, 0.98], [0.54, 0.5, 0.85], INK]
  },
  fish: (d) => {
    const hue = d.between(0, 1)
    return [vivid(d, hue), vivid(d, hue + d.pick(HARMONIES)), [0.98, 0.55, 0.9], [0.52, 0.12, 0.9], INK]
  },
  potion: (d) => {
    const hue = d.between(0, 1)
    return [
      vivid(d, hue),
      [0.075, 0.5, d.between(0.56, 0.7)],
      [hue + d.pick(HARMONIES), 0.6, 0.8],
      [0.53, 0.14, 0.84],
      INK,
    ]
  },
  plant: (d) => {
    const leaf: Hsv = [d.between(0.24, 0.42), d.between(0.5, 0.68), d.between(0.52, 0.72)]
    const pot: Hsv =
      d.pick([0, 1, 1]) === 1
        ? [d.between(0.02, 0.08), d.between(0.5, 0.66), d.between(0.62, 0.78)]
        : [d.between(0.5, 0.8), 0.4, 0.72]
    return [leaf, pot, [d.pick([0.94, 0, 0.12, 0.78, 0.88]), d.between(0.5, 0.7), 0.92], [0.14, 0.55, 0.94], INK]
  },
  mushroom: (d) => {
    const hue = d.between(0, 1)
    return [
      vivid(d, hue),
      [d.between(0.08, 0.13), d.between(0.14, 0.26), d.between(0.8, 0.88)],
      [0.3, 0.55, 0.62],
      [0.12, 0.1, 0.9],
      INK,
    ]
  },
  house: (d) => {
    const hue = d.between(0, 1)
    return [
      [d.between(0.05, 0.16), d.between(0.1, 0.34), d.between(0.74, 0.86)],
      vivid(d, hue),
      [hue + d.pick(HARMONIES), 0.55, 0.6],
      [0.14, 0.5, 0.95],
      [0.02, 0.35, 0.5],
    ]
  },
}

/** How many numbers a palette reads at most. */
export const NUM_PALETTE_DRAWS = 16

/** The ramps of a sprite: the ground's first, a calm mid tone of a hue away from the body's. */
export function palette(kind: SpriteClass, d: Draws): readonly Ramp[] {
  const groundTurn = d.between(0.3, 0.7)
  const [saturation, value] = [d.between(0.16, 0.4), d.between(0.54, 0.66)]
  const scheme = SCHEMES[kind](d)
  return [groundRamp([scheme[0][0] + groundTurn, saturation, value]), ...scheme.map(ramp)]
}

/** A full colour. Yellows and greens are taken down and blues up, so that all look about as bright. */
function vivid(d: Draws, hue: number): Hsv {
  const turn = ((hue % 1) + 1) % 1
  const isBright = turn > 0.11 && turn < 0.52
  return [turn, d.between(0.56, 0.76), isBright ? d.between(0.66, 0.82) : d.between(0.76, 0.92)]
}
