import { NUM_MATERIALS } from './materials.js'
import { NUM_TONES, TONES } from './ramp.js'

/** Regions of a drawing that take one colour each when it is fitted to a picture. */
export const REGIONS = { ground: 0, groundShadow: 1, line: 2 } as const

/** Ground, its shadow, all outlines, and three tones of each other material. */
const TONES_EACH = 3
export const NUM_REGIONS = 3 + TONES_EACH * (NUM_MATERIALS - 1)

/** Region of each code: light and shine count as one tone, and so do all grounds but the shadow. */
export const REGION_OF_CODE = Uint8Array.from({ length: NUM_MATERIALS * NUM_TONES }, (_, code) => {
  const [material, tone] = [Math.floor(code / NUM_TONES), code % NUM_TONES]
  if (material === 0) return tone === TONES.shadow ? REGIONS.groundShadow : REGIONS.ground
  if (tone === TONES.outline) return REGIONS.line
  return 3 + TONES_EACH * (material - 1) + Math.min(tone - 1, TONES_EACH - 1)
})
