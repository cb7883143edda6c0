import { sigmaTableOfFloat32 } from '@dit/schedules'
import { betaEnds, betasOf } from '../diffusers-process.js'
import type { Fields } from '../diffusers-fields.js'

const { fround } = Math

/**
 * The sigmas of a process as diffusers has them, and their logarithms: in float32 from the betas on. With zero terminal SNR the last
 * sigma is that of alphaBar = 2^-24, which is below the ones before.
 *
 * Only what the network is told depends on it: there a last bit decides between 998 and 999.
 */
export interface LibraryTable {
  readonly sigmas: Float64Array
  readonly logs: Float64Array
}

/** @param isZeroSnr whether the class reads `rescale_betas_zero_snr`, and it is true */
export function libraryTable(fields: Fields, isZeroSnr: boolean): LibraryTable {
  const betas = betas32(fields)
  const sigmas = isZeroSnr
    ? sigmaTableOfFloat32(zeroTerminalSnr32(betas)).with(betas.length - 1, sigmaOf(2 ** -24))
    : sigmaTableOfFloat32(betas)
  return { sigmas, logs: sigmas.map((sigma) => fround(Math.log(sigma))) }
}

function sigmaOf(alphaBar: number): number {
  return fround(Math.sqrt(fround(fround(1 - alphaBar) / alphaBar)))
}

function betas32(fields: Fields): Float64Array {
  const schedule = fields['beta_schedule'] ?? 'linear'
  const isTrained = (fields['trained_betas'] ?? null) !== null
  const exact = betasOf({ ...fields, rescale_betas_zero_snr: false })
  const { betaStart, betaEnd } = betaEnds(fields)
  if (!isTrained && schedule === 'linear') return linspace32(betaStart, betaEnd, exact.length)
  if (!isTrained && schedule === 'scaled_linear') {
    return linspace32(Math.sqrt(betaStart), Math.sqrt(betaEnd), exact.length).map((root) => fround(root * root))
  }
  return exact.map(fround)
}

/**
 * Equal steps as torch's linspace takes them in float32: up from the start in the first half, down from the end in the second, each
 * product and sum rounded once.
 */
export function linspace32(start: number, end: number, count: number): Float64Array {
  const [first, last] = [fround(start), fround(end)]
  const step = fround(fround(last - first) / (count - 1))
  const half = Math.floor(count / 2)
  return Float64Array.from({ length: count }, (_, i) =>
    count === 1 ? first : fround(i < half ? first + step * i : last - step * (count - 1 - i)),
  )
}

/** `zeroTerminalSnr` in float32, each operation rounded. */
function zeroTerminalSnr32(betas: Float64Array): Float64Array {
  let product = 1
  const roots = betas.map((beta) => fround(Math.sqrt(fround((product *= fround(1 - beta))))))
  const [first, last] = [roots[0], roots.at(-1)!]
  const scale = fround(first / fround(first - last))
  const alphaBar = roots.map((root) => fround(fround(fround(root - last) * scale) ** 2))
  return alphaBar.map((share, i) => fround(1 - (i === 0 ? share : fround(share / alphaBar[i - 1]))))
}
