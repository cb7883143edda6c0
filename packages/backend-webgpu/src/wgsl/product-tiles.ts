import type { KernelSource } from '../runtime/kernel.js'
import { describe, productParts, type ProductVariant, type Tile } from './product.js'

const XYZW = 'xyzw'

/** Terms that are loaded at a time, a multiple of 4. */
const DEPTH = 16

/** Bytes of shared memory of a workgroup that makes such a tile, whatever is transposed and however operands are kept. */
export function tileBytes({ rows, columns }: Tile): number {
  return (rows + columns) * (DEPTH / 4 + 1) * 16
}

/**
 * out[g] = A[g] B[g], in tiles through shared memory, with what follows the product as its last lines.
 *
 * Shared memory holds groups of four along the axis that is contiguous in memory, so that loads and stores stay whole
 * vectors for all transposes; rows along the summed axis are padded by one vector against bank conflicts.
 */
export function tiledProductSource(variant: ProductVariant): KernelSource {
  const { tile, transposeA, transposeB, sums } = variant
  const { rows, columns, size } = tile
  const [TX, TY] = [columns / size, rows / size]
  const lanes = TX * TY
  const depth = DEPTH
  const quads = depth / 4
  const { storage, params, directives, begin, shared, wide, loadTile, ...parts } = productParts(variant)
  // In vectors: along the summed axis [row][quad], or along the row axis [term][row / 4].
  const [strideA, strideB] = [transposeA ? rows / 4 : quads + 1, transposeB ? quads + 1 : columns / 4]
  const sharedA = (transposeA ? depth : rows) * strideA
  const sharedB = (transposeB ? columns : depth) * strideB
  const zero = 'vec4<f32>(0.0)'

  const declarations = `var<workgroup> tile_a: array<${shared}, ${sharedA}>;
var<workgroup> tile_b: array<${shared}, ${sharedB}>;
${parts.declarations}`

  const load = (name: 'a' | 'b', extent: number, stride: number) =>
    loadTile({
      name,
      extent,
      depth,
      lanes,
      store: (line, quad, value) => `tile_${name}[${line} * ${stride}u + ${quad}] = ${value};`,
    })
  const loads = [load('a', rows, strideA), load('b', columns, strideB)]

  // Element of A at row i and term t of a group of four; vector of four columns of B at a term.
  const range = (count: number) => Array.from({ length: count }, (_, i) => i)
  const readA = transposeA
    ? range(4).flatMap((t) =>
        range(size / 4).map(
          (v) => `let a${t}_${v} = ${wide(`tile_a[(4u * quad + ${t}u) * ${strideA}u + ty + ${v * TY}u]`)};`,
        ),
      )
    : range(size).map((i) => `let a${i} = ${wide(`tile_a[(ty + ${i * TY}u) * ${strideA}u + quad]`)};`)
  const readB = transposeB
    ? range(size).map((j) => `let b${j} = ${wide(`tile_b[(tx + ${j * TX}u) * ${strideB}u + quad]`)};`)
    : range(4).flatMap((t) =>
        range(size / 4).map(
          (v) => `let b${t}_${v} = ${wide(`tile_b[(4u * quad + ${t}u) * ${strideB}u + tx + ${v * TX}u]`)};`,
        ),
      )
  const elementA = (i: number, t: number) => (transposeA ? `a${t}_${i >> 2}.${XYZW[i & 3]}` : `a${i}.${XYZW[t]}`)
  const vectorB = (t: number, v: number) =>
    transposeB
      ? `vec4<f32>(${range(4)
          .map((c) => `b${4 * v + c}.${XYZW[t]}`)
          .join(', ')})`
      : `b${t}_${v}`
  const multiply = range(4).flatMap((t) => [
    ...range(size / 4).map((v) => `let v${t}_${v} = ${vectorB(t, v)};`),
    ...range(size).flatMap((i) =>
      range(size / 4).map((v) => `c${i}_${v} = fma(vec4<f32>(${elementA(i, t)}), v${t}_${v}, c${i}_${v});`),
    ),
  ])

  // Rows and columns of an invocation lie apart by the number of invocations, in fours where memory is contiguous.
  const rowOf = transposeA ? `4u * (ty + (i / 4u) * ${TY}u) + i % 4u` : `ty + i * ${TY}u`
  const columnOf = transposeB ? `tx + j * ${TX}u` : `4u * (tx + (j / 4u) * ${TX}u) + j % 4u`
  const sumBody =
    sums === 'none'
      ? ''
      : `    if (wg.x == 0u && lane < ${rows / 4}u) {
      for (var term = 0u; term < ${depth}u; term++) { column_sum += ${wide(`tile_a[term * ${rows / 4}u + lane]`)}; }
    }`
  const sumEnd =
    sums === 'none'
      ? ''
      : `  if (wg.x == 0u && lane < ${rows / 4}u) {
    for (var i = 0u; i < 4u; i++) { finish_sum(first_row + 4u * lane + i, column_sum[i]); }
  }`

  return {
    label: describe(variant),
    storage,
    params,
    workgroupSize: [lanes, 1, 1],
    directives,
    declarations,
    body: `${begin}
  let tx = lane % ${TX}u;
  let ty = lane / ${TX}u;
${range(size)
  .flatMap((i) => range(size / 4).map((v) => `  var c${i}_${v} = ${zero};`))
  .join('\n')}
${sums === 'none' ? '' : `  var column_sum = ${zero};`}
  for (var first_term = 0u; first_term < p.k; first_term += ${depth}u) {
${loads.join('\n')}
    workgroupBarrier();
    for (var quad = 0u; quad < ${quads}u; quad++) {
      ${[...readA, ...readB, ...multiply].join('\n      ')}
    }
${sumBody}
    workgroupBarrier();
  }
  var all = array<vec4<f32>, ${(size * size) / 4}>(${range(size)
    .flatMap((i) => range(size / 4).map((v) => `c${i}_${v}`))
    .join(', ')});
  for (var i = 0u; i < ${size}u; i++) {
    for (var j = 0u; j < ${size}u; j++) {
      finish(wg.z * p.m * p.n, first_row + ${rowOf}, first_column + ${columnOf}, all[i * ${size / 4}u + j / 4u][j % 4u]);
    }
  }
${sumEnd}`,
  }
}
