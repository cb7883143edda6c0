import { checkNumTimesteps } from './check.js'

/**
 * How to choose fewer timesteps: section counts as `'10,15,20'` or `[10, 15, 20]`, a fixed stride as `'ddim50'`, or all
 * as `''` or null.
 */
export type Respacing = string | readonly number[] | null

/**
 * The timesteps that a respacing keeps, in rising order.
 *
 * - Counts cut 0 .. numTimesteps - 1 into as many equal sections (the first `numTimesteps mod sections` are one longer)
 *   and spread each count over its section, both ends included; a count of 1 keeps the section's first timestep. The
 *   position is a running float64 sum of (size - 1) / (count - 1), rounded half to even: with multiplication instead
 *   of the sum, or halves rounded up, some counts would give other timesteps than published samplers use.
 * - `'ddimN'` keeps 0, s, 2s, ... for the smallest integer stride s below numTimesteps that gives exactly N.
 * - `''` and null keep all.
 *
 * @param numTimesteps  how many steps there are, T
 * @param respacing     see above; to keep a list of your own, give it to `respace` directly
 * @returns timesteps in 0 .. T - 1; empty when all counts are 0
 * @throws RangeError when a section has fewer timesteps than its count, when no stride gives N, or when the text is not
 *   understood
 *
 * @example
 * spaceTimesteps(1000, '7') // 0, 166, 333, 500, 666, 832, 999
 *
 * Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", section 4 (sections); Song et al. 2021,
 * "Denoising Diffusion Implicit Models", appendix D.2 (fixed stride).
 */
export function spaceTimesteps(numTimesteps: number, respacing: Respacing): Int32Array {
  checkNumTimesteps('spaceTimesteps', numTimesteps)
  if (respacing === null || respacing === '') return Int32Array.from({ length: numTimesteps }, (_, i) => i)
  if (typeof respacing === 'string' && respacing.startsWith('ddim')) {
    return strided(numTimesteps, parseCount(respacing.slice(4), respacing))
  }
  const counts =
    typeof respacing === 'string' ? respacing.split(',').map((text) => parseCount(text, respacing)) : respacing
  return sectioned(numTimesteps, counts)
}

function strided(numTimesteps: number, count: number): Int32Array {
  for (let stride = 1; stride < numTimesteps; stride++) {
    if (Math.ceil(numTimesteps / stride) === count) return Int32Array.from({ length: count }, (_, i) => i * stride)
  }
  throw new RangeError(`spaceTimesteps: no integer stride keeps exactly ${count} of ${numTimesteps} timesteps`)
}

function sectioned(numTimesteps: number, counts: readonly number[]): Int32Array {
  const kept: number[] = []
  let start = 0
  counts.forEach((count, section) => {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`spaceTimesteps: counts must be non-negative integers (got ${count})`)
    }
    const size = Math.floor(numTimesteps / counts.length) + (section < numTimesteps % counts.length ? 1 : 0)
    if (count > size) {
      throw new RangeError(`spaceTimesteps: section ${section} has ${size} timesteps, too few to keep ${count}`)
    }
    const stride = count > 1 ? (size - 1) / (count - 1) : 1
    let position = 0
    for (let i = 0; i < count; i++, position += stride) kept.push(start + roundHalfToEven(position))
    start += size
  })
  return Int32Array.from(kept)
}

function parseCount(text: string, respacing: string): number {
  if (!/^\s*\d+\s*$/.test(text)) {
    throw new RangeError(`spaceTimesteps: respacing must be counts as '10,15,20' or 'ddimN' (got '${respacing}')`)
  }
  return Number(text)
}

/** Nearest integer of a non-negative number; halves go to the even neighbour. */
function roundHalfToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest === 0.5) return floor + (floor % 2)
  return rest < 0.5 ? floor : floor + 1
}
