import type { KernelSource } from '../runtime/kernel.js'
import { describe, productParts, type ProductVariant, type Tile } from './product.js'

/** Matrix units: `[M, K]` by `[K, N]` of `component` are multiplied at once by a subgroup, and summed in f32. */
export interface MatrixUnits {
  readonly component: 'f16' | 'f32'
  readonly M: number
  readonly N: number
  readonly K: number
  /** Terms that are loaded at a time, a multiple of K. */
  readonly depth: number
  /** How many subgroups share the rows and the columns of a workgroup's tile. */
  readonly subgroups: readonly [rows: number, columns: number]
  /** Invocations of a workgroup: those of so many subgroups, if they are as large as they may be. */
  readonly lanes: number
}

export const bytesOf = { f16: 2, f32: 4 } as const

/** Elements from one line of a tile in shared memory to the next: 16 bytes more than it holds, against bank conflicts. */
const strideOf = (length: number, { component }: MatrixUnits) => length + 16 / bytesOf[component]

/** Whether every subgroup's part of the tile is made of whole matrices. */
export function divides({ M, N, subgroups }: MatrixUnits, { rows, columns }: Tile): boolean {
  return rows % (subgroups[0] * M) === 0 && columns % (subgroups[1] * N) === 0
}

/** Bytes of shared memory of a workgroup that makes such a tile, whatever is transposed. */
export function unitsBytes(units: MatrixUnits, { rows, columns }: Tile): number {
  const { component, M, N, depth, subgroups } = units
  const largest = (extent: number) => Math.max(extent * strideOf(depth, units), depth * strideOf(extent, units))
  return bytesOf[component] * (largest(rows) + largest(columns)) + 4 * subgroups[0] * subgroups[1] * M * N
}

/**
 * out[g] = A[g] B[g] as `tiledProductSource`, by matrix units (WGSL extension `chromium_experimental_subgroup_matrix`). Each subgroup
 * makes a part of the tile; where subgroups are smaller than they may be, those beyond the last part only load. Sums leave the
 * units through shared memory, one matrix of each subgroup at a time.
 */
export function unitsProductSource(variant: ProductVariant, units: MatrixUnits): KernelSource {
  const { tile, transposeA, transposeB, sums } = variant
  const { component, M, N, K, depth, lanes, subgroups } = units
  const [strideA, strideB] = [
    strideOf(transposeA ? tile.rows : depth, units),
    strideOf(transposeB ? depth : tile.columns, units),
  ]
  const [lengthA, lengthB] = [(transposeA ? depth : tile.rows) * strideA, (transposeB ? tile.columns : depth) * strideB]
  const [partRows, partColumns] = [tile.rows / subgroups[0], tile.columns / subgroups[1]]
  const parts = subgroups[0] * subgroups[1]
  const { storage, params, directives, declarations, begin, loadTile } = productParts(variant)
  const load = (name: 'a' | 'b', extent: number, stride: number) =>
    loadTile({
      name,
      extent,
      depth,
      lanes,
      store: (line, quad, value) => `let four = ${value};
      let at = ${line} * ${stride}u + 4u * ${quad};
      for (var e = 0u; e < 4u; e++) { tile_${name}[at + e] = four[e]; }`,
    })

  const range = (count: number) => Array.from({ length: count }, (_, i) => i)
  const [is, js] = [range(partRows / M), range(partColumns / N)]
  const matrix = (side: string, type: string, matrixColumns: number, matrixRows: number) =>
    `subgroup_matrix_${side}<${type}, ${matrixColumns}, ${matrixRows}>`
  const result = matrix('result', 'f32', N, M)
  const readA = (i: number) => {
    const row = `part_row + ${i * M}u`
    const at = transposeA ? `term * ${strideA}u + ${row}` : `(${row}) * ${strideA}u + term`
    const order = transposeA ? 'col_major' : 'row_major'
    return `let a${i} = subgroupMatrixLoad<${matrix('left', component, K, M)}, ${order}>(&tile_a, ${at}, ${strideA}u);`
  }
  const readB = (j: number) => {
    const column = `part_column + ${j * N}u`
    const at = transposeB ? `(${column}) * ${strideB}u + term` : `term * ${strideB}u + ${column}`
    const order = transposeB ? 'col_major' : 'row_major'
    return `let b${j} = subgroupMatrixLoad<${matrix('right', component, N, K)}, ${order}>(&tile_b, ${at}, ${strideB}u);`
  }
  const multiply = is.flatMap((i) => [
    readA(i),
    ...js.map((j) => `c${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, c${i}_${j});`),
  ])
  const leave = is.flatMap((i) =>
    js.map(
      (j) =>
        `case ${i * js.length + j}u: { subgroupMatrixStore<row_major>(&stage, subgroup * ${M * N}u, c${i}_${j}, ${N}u); }`,
    ),
  )
  const sumsOfLane = range(Math.ceil(tile.rows / lanes))
  const eachSum = (body: (row: string, r: number) => string) =>
    sums === 'none'
      ? ''
      : `if (wg.x == 0u) {
${sumsOfLane.map((r) => `      if (lane + ${r * lanes}u < ${tile.rows}u) { ${body(`lane + ${r * lanes}u`, r)} }`).join('\n')}
    }`

  return {
    label: describe(variant),
    storage,
    params,
    workgroupSize: [lanes, 1, 1],
    directives: `${directives}\nenable chromium_experimental_subgroup_matrix;`,
    useSubgroups: true,
    declarations: `var<workgroup> tile_a: array<${component}, ${lengthA}>;
var<workgroup> tile_b: array<${component}, ${lengthB}>;
var<workgroup> stage: array<f32, ${parts * M * N}>;
${declarations}`,
    body: `${begin}
  let part_row = (subgroup / ${subgroups[1]}u) * ${partRows}u;
  let part_column = (subgroup % ${subgroups[1]}u) * ${partColumns}u;
${is.flatMap((i) => js.map((j) => `  var c${i}_${j} = ${result}();`)).join('\n')}
${sums === 'none' ? '' : sumsOfLane.map((r) => `  var column_sum${r} = 0.0;`).join('\n')}
  for (var first_term = 0u; first_term < p.k; first_term += ${depth}u) {
${load('a', tile.rows, strideA)}
${load('b', tile.columns, strideB)}
    workgroupBarrier();
    if (subgroup < ${parts}u) {
      for (var term = 0u; term < ${depth}u; term += ${K}u) {
        ${[...js.map(readB), ...multiply].join('\n        ')}
      }
    }
    ${eachSum((row, r) => `for (var term = 0u; term < ${depth}u; term++) { column_sum${r} += f32(tile_a[term * ${strideA}u + ${row}]); }`)}
    workgroupBarrier();
  }
  for (var each = 0u; each < ${leave.length}u; each++) {
    if (subgroup < ${parts}u) {
      switch (each) {
        ${leave.join('\n        ')}
        default: {}
      }
    }
    workgroupBarrier();
    let row = first_row + (each / ${js.length}u) * ${M}u;
    let column = first_column + (each % ${js.length}u) * ${N}u;
    for (var i = lane; i < ${parts * M * N}u; i += ${lanes}u) {
      let part = i / ${M * N}u;
      let row_of_part = (part / ${subgroups[1]}u) * ${partRows}u + (i / ${N}u) % ${M}u;
      let column_of_part = (part % ${subgroups[1]}u) * ${partColumns}u + i % ${N}u;
      finish(wg.z * p.m * p.n, row + row_of_part, column + column_of_part, stage[i]);
    }
    workgroupBarrier();
  }
    ${eachSum((row, r) => `finish_sum(first_row + ${row}, column_sum${r});`)}`,
  }
}
