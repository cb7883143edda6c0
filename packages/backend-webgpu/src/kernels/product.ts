import type { Activation, View } from '@dit/tensor'
import type { Capabilities, Groups, Runtime } from '../runtime/runtime.js'
import { describe, type Gather, type ProductVariant, type Tile } from '../wgsl/product.js'
import { tiledProductSource } from '../wgsl/product-tiles.js'

/** A product with what follows it. */
export interface Product {
  /** `[G, M, K]`, or `[G, K, M]` if transposeA */
  readonly a: View
  /** `[G, K, N]`, or `[G, N, K]` if transposeB */
  readonly b: View
  readonly extents: { readonly G: number; readonly M: number; readonly N: number; readonly K: number }
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly out: View
  readonly accumulates?: boolean
  /** True where operands stay f32 whatever the precision of the backend. */
  readonly isExact?: boolean
  /** True where A is a gradient: in half precision it is multiplied by `gradientLift` on its way in. */
  readonly isGradient?: boolean
  readonly bias?: View | null
  readonly activation?: Activation
  /** Where the values before the activation go. */
  readonly inner?: View | null
  /** out2 = x + gate * result; a gate per `tokens` rows. */
  readonly gated?: { readonly x: View; readonly gate: View; readonly out: View; readonly tokens: number } | null
  /** How operands are found that are no matrices, with the values of its parameters. */
  readonly gather?: { readonly how: Gather; readonly values: readonly number[] }
  /** Where the sums over the columns of a transposed A go. */
  readonly sums?: { readonly out: View; readonly accumulates: boolean } | null
}

const LARGE: Tile = { rows: 128, columns: 128, size: 8, depth: 16 }
const MIDDLE: Tile = { rows: 64, columns: 64, size: 8, depth: 16 }
const SMALL: Tile = { rows: 32, columns: 32, size: 4, depth: 16 }

/** All tiles that may be chosen. */
export const TILES: readonly Tile[] = [LARGE, MIDDLE, SMALL]

/** The largest tile that still gives a card with a hundred cores something to do on each. */
export function chooseTile(
  { G, M, N }: Product['extents'],
  { sharedBytes, useSmallTiles }: Pick<Capabilities, 'sharedBytes' | 'useSmallTiles'>,
): Tile {
  if (useSmallTiles) return SMALL
  const count = ({ rows, columns }: Tile) => G * Math.ceil(M / rows) * Math.ceil(N / columns)
  // Rows along the summed axis are padded by a vector: 2 x 128 rows of 5 vectors.
  if (count(LARGE) >= 96 && sharedBytes >= 20_480) return LARGE
  return count(MIDDLE) >= 48 ? MIDDLE : SMALL
}

export function runProduct(runtime: Runtime, product: Product): void {
  const { a, b, extents, transposeA, transposeB, out, accumulates = false, bias = null, activation = 'none' } = product
  const { inner = null, gated = null, sums = null, gather, isExact = false } = product
  const { G, M, N, K } = extents
  const { capabilities } = runtime
  const half = isExact ? 'none' : capabilities.half
  const lift = half !== 'none' && product.isGradient === true ? capabilities.gradientLift : 1
  const tile = chooseTile(extents, capabilities)
  const variant: ProductVariant = {
    tile,
    transposeA,
    transposeB,
    isVectorA: gather === undefined && (transposeA ? M : K) % 4 === 0,
    isVectorB: gather === undefined && (transposeB ? K : N) % 4 === 0,
    half,
    useBias: bias !== null,
    activation,
    keepsInner: inner !== null,
    accumulates,
    isGated: gated !== null,
    sums: sums === null ? 'none' : sums.accumulates ? 'add' : 'write',
    ...(gather === undefined ? {} : { gather: gather.how }),
  }
  const kernel = runtime.kernel(describe(variant), () => tiledProductSource(variant))
  const inputs = [a, b, ...(bias === null ? [] : [bias]), ...(gated === null ? [] : [gated.x, gated.gate])]
  const outputs = [
    out,
    ...(inner === null ? [] : [inner]),
    ...(gated === null ? [] : [gated.out]),
    ...(sums === null ? [] : [sums.out]),
  ]
  const groups: Groups = [Math.ceil(N / tile.columns), Math.ceil(M / tile.rows), G]
  runtime.run(kernel, inputs, outputs, [M, N, K, gated?.tokens ?? 1, lift, ...(gather?.values ?? [])], groups)
}
