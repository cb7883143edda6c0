/** The tones of a ramp, dark to bright. */
export const TONES = { outline: 0, shadow: 1, base: 2, light: 3, shine: 4 } as const
export const NUM_TONES = 5

/** A colour in five tones, `[5, 3]`, each value 0 to 255. */
export type Ramp = Uint8Array

/** Where a colour stands: hue in turns, saturation and value in [0, 1]. */
export type Hsv = readonly [hue: number, saturation: number, value: number]

/** Shadows turn towards this hue (blue violet), lights towards that one (yellow). */
const [COOL, WARM] = [0.7, 0.14]

/**
 * Five tones of a colour as a painter mixes them: shadows are darker, fuller and turned towards blue, lights are
 * brighter, paler and turned towards yellow. The outline is the darkest tone and never black.
 */
export function ramp([hue, saturation, value]: Hsv): Ramp {
  const tones: Hsv[] = [
    [turned(hue, COOL, 0.1), Math.min(1, saturation * 0.9 + 0.18), 0.1 + value * 0.16],
    [turned(hue, COOL, 0.06), Math.min(1, saturation * 1.08 + 0.04), value * 0.7],
    [hue, saturation, value],
    [turned(hue, WARM, 0.035), saturation * 0.72, value + (1 - value) * 0.62],
    [turned(hue, WARM, 0.06), saturation * 0.24, value + (1 - value) * 0.96],
  ]
  return Uint8Array.from(tones.flatMap(hsvToRgb))
}

/** Five tones of the ground, close together: a shadow, the ground and its glow in two steps. */
export function groundRamp([hue, saturation, value]: Hsv): Ramp {
  const shadow: Hsv = [turned(hue, COOL, 0.05), saturation + 0.06, value * 0.76]
  const tones: Hsv[] = [
    shadow,
    shadow,
    [hue, saturation, value],
    [hue, saturation * 0.94, value + 0.04],
    [hue, saturation * 0.88, value + 0.08],
  ]
  return Uint8Array.from(tones.flatMap(hsvToRgb))
}

/** Moves a hue towards another along the shorter way, by at most `most` turns. */
function turned(hue: number, target: number, most: number): number {
  const way = ((((target - hue + 0.5) % 1) + 1) % 1) - 0.5
  return hue + Math.max(-most, Math.min(most, way))
}

function hsvToRgb([hue, saturation, value]: Hsv): number[] {
  const turn = ((hue % 1) + 1) % 1
  return [5, 3, 1].map((offset) => {
    const k = (offset + turn * 6) % 6
    return Math.round(255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1))))
  })
}
