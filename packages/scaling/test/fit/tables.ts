import { normals, randomStream } from '@dit/random'
import { type LossLaw, lossAt, type LossTable } from '../../src/index.js'

/** A law that tables of the tests follow; close to that of Hoffmann et al. 2022. */
export const LAW: LossLaw = { E: 1.7, A: 400, B: 410, alpha: 0.34, beta: 0.28 }

/** `count` numbers from `low` to `high`, evenly spaced in their logarithm. */
export function spaced(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)))
}

/** Every size with every amount of data, with log-normal noise. */
export function tableOf(
  sizes: readonly number[],
  data: readonly number[],
  { law = LAW, sigma = 0, seed = 1 }: { law?: LossLaw; sigma?: number; seed?: number } = {},
): LossTable {
  const points = sizes.flatMap((n) => data.map((d) => ({ n, d })))
  const z = normals(randomStream(seed, 'table'), points.length)
  return {
    n: points.map(({ n }) => n),
    d: points.map(({ d }) => d),
    loss: points.map(({ n, d }, i) => lossAt(law, n, d) * Math.exp(sigma * z[i])),
  }
}
