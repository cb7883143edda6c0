import type { Activation } from '@dit/tensor'
import { type KernelSource, type ParamType, reads, type StorageBinding, writes } from '../runtime/kernel.js'
import { precise } from './functions.js'
import { type Half, halfTiles } from './half.js'

/** How a product is cut: a workgroup makes `rows` x `columns` of it, an invocation `size` x `size` of these. */
export interface Tile {
  readonly rows: number
  readonly columns: number
  readonly size: 4 | 8
  /** Terms that are loaded at a time, a multiple of 4. */
  readonly depth: number
}

/** What makes one product kernel differ from another. */
export interface ProductVariant {
  readonly tile: Tile
  readonly transposeA: boolean
  readonly transposeB: boolean
  /** True where rows of A (of B) as they are stored hold a multiple of 4 elements. */
  readonly isVectorA: boolean
  readonly isVectorB: boolean
  /** Operands are rounded to f16 on their way into shared memory; sums stay f32. */
  readonly half: Half
  readonly useBias: boolean
  readonly activation: Activation
  /** Also writes what the activation is applied to. */
  readonly keepsInner: boolean
  /** Adds to the result instead of replacing it. */
  readonly accumulates: boolean
  /** Also writes x + gate * result. */
  readonly isGated: boolean
  /** Also sums the columns of a transposed A: the gradient of a bias. */
  readonly sums: 'none' | 'write' | 'add'
  /** How operands are found that do not lie in memory as matrices; the bias is one of rows then. */
  readonly gather?: Gather
}

/** WGSL for the elements of operands that do not lie in memory as matrices. */
export interface Gather {
  readonly name: string
  readonly params: readonly string[]
  /** Body of `fn pick_a(group, row, term) -> f32` over the array `a`. */
  readonly a: string
  /** Body of `fn pick_b(group, term, column) -> f32` over the array `b`. */
  readonly b: string
}

const XYZW = 'xyzw'

/**
 * out[g] = A[g] B[g], in tiles through shared memory, with what follows the product as its last lines.
 *
 * Shared memory holds groups of four along the axis that is contiguous in memory, so that loads and stores stay whole
 * vectors for all transposes; rows along the summed axis are padded by one vector against bank conflicts.
 */
export function productSource(variant: ProductVariant): KernelSource {
  const { tile, transposeA, transposeB, isVectorA, isVectorB, accumulates } = variant
  const { useBias, activation, keepsInner, isGated, sums, gather } = variant
  const { rows, columns, size, depth } = tile
  const [TX, TY] = [columns / size, rows / size]
  const lanes = TX * TY
  const quads = depth / 4
  const useHalf = variant.half !== 'none'
  const { type: shared, narrow, wide, ...half } = halfTiles(variant.half)
  // In vectors: along the summed axis [row][quad], or along the row axis [term][row / 4].
  const sharedA = transposeA ? depth * (rows / 4) : rows * (quads + 1)
  const sharedB = transposeB ? columns * (quads + 1) : depth * (columns / 4)
  const storage: StorageBinding[] = [
    reads('a', isVectorA ? 'vec4<f32>' : 'f32'),
    reads('b', isVectorB ? 'vec4<f32>' : 'f32'),
    ...(useBias ? [reads('bias')] : []),
    ...(isGated ? [reads('x'), reads('gate')] : []),
    writes('out'),
    ...(keepsInner ? [writes('inner')] : []),
    ...(isGated ? [writes('gated')] : []),
    ...(sums === 'none' ? [] : [writes('sums')]),
  ]
  const params: [string, ParamType][] = [
    ['m', 'u32'],
    ['n', 'u32'],
    ['k', 'u32'],
    ['tokens', 'u32'],
    ['scale', 'f32'],
    ...(gather?.params ?? []).map((name): [string, ParamType] => [name, 'u32']),
  ]
  const number = (name: string) => `${name}: u32`
  const zero = 'vec4<f32>(0.0)'

  const declarations = `${half.declarations}
var<workgroup> tile_a: array<${shared}, ${sharedA}>;
var<workgroup> tile_b: array<${shared}, ${sharedB}>;
${gather === undefined ? loader('a', transposeA ? 'm' : 'k', isVectorA) : picker('a', 'term', 'k', gather.a)}
${gather === undefined ? loader('b', transposeB ? 'k' : 'n', isVectorB) : picker('b', 'column', 'n', gather.b)}
${activation === 'none' ? '' : precise('f32')}
fn finish(base: u32, ${number('row')}, ${number('column')}, sum: f32) {
  if (row >= p.m || column >= p.n) { return; }
  let at = base + row * p.n + column;
  var value = sum${useHalf ? ' / p.scale' : ''};
${useBias ? `  value += bias[${gather === undefined ? 'column' : 'row'}];` : ''}
${keepsInner ? '  inner[at] = value;' : ''}
${activation === 'none' ? '' : `  value = ${activation}_of(value);`}
${isGated ? '  gated[at] = fma(gate[(row / p.tokens) * p.n + column], value, x[at]);' : ''}
  out[at] ${accumulates ? '+=' : '='} value;
}`

  const loads = [
    tileLoad({
      name: 'a',
      isAlongTerms: !transposeA,
      extent: rows,
      first: 'first_row',
      limit: 'p.m',
      width: transposeA ? 'p.m' : 'p.k',
      depth,
      lanes,
      convert: (value) => narrow(useHalf ? `${value} * p.scale` : value),
    }),
    tileLoad({
      name: 'b',
      isAlongTerms: transposeB,
      extent: columns,
      first: 'first_column',
      limit: 'p.n',
      width: transposeB ? 'p.k' : 'p.n',
      depth,
      lanes,
      convert: narrow,
    }),
  ]

  // Element of A at row i and term t of a group of four; vector of four columns of B at a term.
  const range = (count: number) => Array.from({ length: count }, (_, i) => i)
  const readA = transposeA
    ? range(4).flatMap((t) =>
        range(size / 4).map(
          (v) => `let a${t}_${v} = ${wide(`tile_a[(4u * quad + ${t}u) * ${rows / 4}u + ty + ${v * TY}u]`)};`,
        ),
      )
    : range(size).map((i) => `let a${i} = ${wide(`tile_a[(ty + ${i * TY}u) * ${quads + 1}u + quad]`)};`)
  const readB = transposeB
    ? range(size).map((j) => `let b${j} = ${wide(`tile_b[(tx + ${j * TX}u) * ${quads + 1}u + quad]`)};`)
    : range(4).flatMap((t) =>
        range(size / 4).map(
          (v) => `let b${t}_${v} = ${wide(`tile_b[(4u * quad + ${t}u) * ${columns / 4}u + tx + ${v * TX}u]`)};`,
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
    for (var i = 0u; i < 4u; i++) {
      let row = first_row + 4u * lane + i;
      if (row < p.m) { sums[row] ${sums === 'add' ? '+=' : '='} column_sum[i]${useHalf ? ' / p.scale' : ''}; }
    }
  }`

  return {
    label: describe(variant),
    storage,
    params,
    workgroupSize: [lanes, 1, 1],
    directives: half.directives,
    declarations,
    body: `  let first_row = wg.y * ${rows}u;
  let first_column = wg.x * ${columns}u;
  let tx = lane % ${TX}u;
  let ty = lane / ${TX}u;
  let base_a = ${gather === undefined ? 'wg.z * p.m * p.k' : 'wg.z'};
  let base_b = ${gather === undefined ? 'wg.z * p.k * p.n' : 'wg.z'};
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

/** Four neighbours of an operand, zero where they lie beyond `limit`; `width` is the extent of the contiguous axis. */
function loader(name: string, width: string, isVector: boolean): string {
  const body = isVector
    ? `  return ${name}[(base + row * p.${width} + column) / 4u];`
    : `  let at = base + row * p.${width} + column;
  var four = vec4<f32>(0.0);
  for (var i = 0u; i < 4u; i++) { if (column + i < p.${width}) { four[i] = ${name}[at + i]; } }
  return four;`
  return `fn load_${name}(base: u32, row: u32, column: u32, rows: u32) -> vec4<f32> {
  if (row >= rows || column >= p.${width}) { return vec4<f32>(0.0); }
${body}
}`
}

/** Four neighbours that are found one by one. */
function picker(name: 'a' | 'b', inner: string, width: string, body: string): string {
  const outer = name === 'a' ? 'row' : 'term'
  return `fn pick_${name}(group: u32, ${outer}: u32, ${inner}: u32) -> f32 {
${body}
}
fn load_${name}(group: u32, ${outer}: u32, ${inner}: u32, limit: u32) -> vec4<f32> {
  var four = vec4<f32>(0.0);
  if (${outer} >= limit) { return four; }
  for (var i = 0u; i < 4u; i++) {
    if (${inner} + i < p.${width}) { four[i] = pick_${name}(group, ${outer}, ${inner} + i); }
  }
  return four;
}`
}

interface TileLoad {
  readonly name: 'a' | 'b'
  /** True where memory is contiguous along the summed axis. */
  readonly isAlongTerms: boolean
  readonly extent: number
  readonly first: string
  readonly limit: string
  readonly width: string
  readonly depth: number
  readonly lanes: number
  readonly convert: (value: string) => string
}

function tileLoad({ name, isAlongTerms, extent, first, limit, depth, lanes, convert }: TileLoad): string {
  const quads = depth / 4
  const count = (extent * depth) / 4
  const inner = isAlongTerms
    ? `let row = i / ${quads}u;
      let quad = i % ${quads}u;
      tile_${name}[row * ${quads + 1}u + quad] = ${convert(`load_${name}(base_${name}, ${first} + row, first_term + 4u * quad, ${limit})`)};`
    : `let term = i / ${extent / 4}u;
      let quad = i % ${extent / 4}u;
      tile_${name}[i] = ${convert(`load_${name}(base_${name}, first_term + term, ${first} + 4u * quad, p.k)`)};`
  return `    for (var i = lane; i < ${count}u; i += ${lanes}u) {
      ${inner}
    }`
}

/** Its name in caches and errors. */
export function describe(variant: ProductVariant): string {
  const { tile, transposeA, transposeB, isVectorA, isVectorB, half, useBias, activation } = variant
  const { keepsInner, accumulates, isGated, sums } = variant
  return [
    `product/${tile.rows}x${tile.columns}`,
    `${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}${isVectorA ? 4 : 1}${isVectorB ? 4 : 1}`,
    ...(variant.gather === undefined ? [] : [variant.gather.name]),
    ...(half === 'none' ? [] : [half]),
    ...(useBias ? ['bias'] : []),
    ...(activation === 'none' ? [] : [activation]),
    ...(keepsInner ? ['inner'] : []),
    ...(accumulates ? ['add'] : []),
    ...(isGated ? ['gated'] : []),
    ...(sums === 'none' ? [] : [`sums-${sums}`]),
  ].join('/')
}
