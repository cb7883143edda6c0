import type { View } from '@dit/tensor'
import type { Capabilities, Groups, Runtime } from '../runtime/runtime.js'
import { describe, type Gather, type ProductActivation, type ProductVariant, type Tile } from '../wgsl/product.js'
import { tileBytes, tiledProductSource } from '../wgsl/product-tiles.js'
import { divides, type MatrixUnits, unitsBytes, unitsProductSource } from '../wgsl/product-units.js'

/** A product with what follows it. */
export interface Product {
  /** `[G, M, K]`, or `[G, K, M]` if transposeA */
  readonly a: View
  /** `[G, K, N]`, or `[G, N, K]` if transposeB; may be in half precision */
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
  readonly activation?: ProductActivation
  /** Where the values before the activation go. */
  readonly inner?: View | null
  /** out2 = x + gate * result; a gate per `tokens` rows. */
  readonly gated?: { readonly x: View; readonly gate: View; readonly out: View; readonly tokens: number } | null
  /** How operands are found that are no matrices, with the values of its parameters. */
  readonly gather?: { readonly how: Gather; readonly values: readonly number[] }
  /** Where the sums over the columns of a transposed A go. */
  readonly sums?: { readonly out: View; readonly accumulates: boolean } | null
}

/** All tiles that may be chosen, each with how many of them give a card with a hundred cores something to do on each. */
const CHOICES: readonly (readonly [tile: Tile, enough: number])[] = [
  [{ rows: 128, columns: 128, size: 8 }, 96],
  [{ rows: 64, columns: 64, size: 8 }, 48],
  [{ rows: 32, columns: 32, size: 4 }, 1],
]
export const TILES: readonly Tile[] = CHOICES.map(([tile]) => tile)

/** The largest tile that the workgroup's memory holds and that cuts the product into enough parts. */
export function chooseTile(
  { G, M, N }: Product['extents'],
  { sharedBytes, useSmallTiles }: Pick<Capabilities, 'sharedBytes' | 'useSmallTiles'>,
  units: MatrixUnits | null,
): Tile {
  let chosen = TILES[0]
  for (const [tile, enough] of CHOICES) {
    if (units !== null && !divides(units, tile)) break
    chosen = tile
    if ((units === null ? tileBytes(tile) : unitsBytes(units, tile)) > sharedBytes) continue
    if (!useSmallTiles && G * Math.ceil(M / tile.rows) * Math.ceil(N / tile.columns) >= enough) break
  }
  return chosen
}

export function runProduct(runtime: Runtime, product: Product): void {
  const { a, b, extents, transposeA, transposeB, out, accumulates = false, bias = null, activation = 'none' } = product
  const { inner = null, gated = null, sums = null, gather, isExact = false } = product
  const { G, M, N, K } = extents
  const { capabilities } = runtime
  const half = isExact ? 'none' : capabilities.half
  const lift = half !== 'none' && product.isGradient === true ? capabilities.gradientLift : 1
  const operands = half === 'none' ? 'f32' : 'f16'
  const units = capabilities.units?.component === operands ? capabilities.units : null
  const tile = chooseTile(extents, capabilities, units)
  const variant: ProductVariant = {
    tile,
    transposeA,
    transposeB,
    isVectorA: gather?.how.a === undefined && (transposeA ? M : K) % 4 === 0,
    isVectorB: gather?.how.b === undefined && (transposeB ? K : N) % 4 === 0,
    units,
    storedB: b.dtype === 'f16' || b.dtype === 'bf16' ? b.dtype : 'f32',
    half,
    useBias: bias !== null,
    activation,
    keepsInner: inner !== null,
    accumulates,
    isGated: gated !== null,
    sums: sums === null ? 'none' : sums.accumulates ? 'add' : 'write',
    ...(gather === undefined ? {} : { gather: gather.how }),
  }
  const kernel = runtime.kernel(describe(variant), () =>
    units === null ? tiledProductSource(variant) : unitsProductSource(variant, units),
  )
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
