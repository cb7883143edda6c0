import type { Activation, ConvActivation } from '@dit/tensor'
import { type ParamType, reads, type StorageBinding, writes } from '../runtime/kernel.js'
import { precise } from './functions.js'
import { halfElement, halfLoader, keptHalves, type Stored } from './half-weights.js'
import { type Half, halfTiles } from './half.js'
import type { MatrixUnits } from './product-units.js'

/** How a product is cut: a workgroup makes `rows` x `columns` of it. */
export interface Tile {
  readonly rows: number
  readonly columns: number
  /** An invocation makes `size` x `size` of these, where no matrix units do. */
  readonly size: 4 | 8
}

/** What a product can apply to its result. */
export type ProductActivation = Activation | ConvActivation

/** What makes one product kernel differ from another. */
export interface ProductVariant {
  readonly tile: Tile
  readonly transposeA: boolean
  readonly transposeB: boolean
  /** True where rows of A (of B) as they are stored hold a multiple of 4 elements. */
  readonly isVectorA: boolean
  readonly isVectorB: boolean
  /** What multiplies; null where every invocation does by itself. */
  readonly units: MatrixUnits | null
  /** How B lies in global memory. */
  readonly storedB: Stored
  /** Operands are rounded to f16 on their way into shared memory; sums stay f32. */
  readonly half: Half
  readonly useBias: boolean
  readonly activation: ProductActivation
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
  /** Body of `fn pick_a(group, row, term) -> f32` over the array `a`; without it, A is one matrix, the same for all groups. */
  readonly a?: string
  /** Body of `fn pick_b(group, term, column) -> f32` over the array `b`; without it, B is a matrix for each group. */
  readonly b?: string
  /** Where the bias of `row` in `group` is; `row` by default. */
  readonly bias?: string
}

/** What all kernels of products have in common, however they multiply: operands are found and rounded, results are finished. */
export interface ProductParts {
  readonly storage: readonly StorageBinding[]
  readonly params: readonly (readonly [name: string, type: ParamType])[]
  readonly directives: string
  /**
   * Functions `load_a` and `load_b`; `finish(base, row, column, sum)`, which stores an element and what is made of it; and
   * `finish_sum(row, sum)` where the columns of A are summed.
   */
  readonly declarations: string
  /** First lines of a body: where the workgroup's tile and its operands begin. */
  readonly begin: string
  /** Type of four operands in shared memory. */
  readonly shared: string
  /** Four operands of shared memory as f32. */
  readonly wide: (text: string) => string
  /** Lines that bring the part of an operand from `first_term` on into shared memory. */
  readonly loadTile: (tileLoad: TileLoad) => string
}

/** How a workgroup shares the loading of an operand: four neighbours in memory at a time. */
export interface TileLoad {
  readonly name: 'a' | 'b'
  /** Rows of A or columns of B, and terms. */
  readonly extent: number
  readonly depth: number
  readonly lanes: number
  /** Stores `value`, group `quad` of its line; lines are rows (columns of B) where memory is contiguous along terms, else terms. */
  readonly store: (line: string, quad: string, value: string) => string
}

export function productParts(variant: ProductVariant): ProductParts {
  const { tile, transposeA, transposeB, isVectorA, isVectorB, storedB, accumulates } = variant
  const { useBias, activation, keepsInner, isGated, sums, gather } = variant
  const useHalf = variant.half !== 'none'
  const { type: shared, narrow, wide, ...half } = halfTiles(variant.half)
  const unscaled = useHalf ? ' / p.scale' : ''
  const storage: StorageBinding[] = [
    reads('a', isVectorA ? 'vec4<f32>' : 'f32'),
    reads('b', storedB !== 'f32' ? halfElement(isVectorB) : isVectorB ? 'vec4<f32>' : 'f32'),
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
  const operands = {
    a: {
      isAlongTerms: !transposeA,
      first: 'first_row',
      limit: 'p.m',
      convert: (value: string) => narrow(useHalf ? `${value} * p.scale` : value),
    },
    b: {
      isAlongTerms: transposeB,
      first: 'first_column',
      limit: 'p.n',
      convert: storedB === 'f32' ? narrow : keptHalves(storedB, variant.half, narrow),
    },
  }

  return {
    storage,
    params,
    directives: half.directives,
    declarations: `${half.declarations}
${gather?.a === undefined ? loader('a', transposeA ? 'm' : 'k', isVectorA) : picker('a', 'term', 'k', gather.a)}
${loadsOfB(variant)}
${activation === 'none' ? '' : precise('f32')}
fn finish(base: u32, ${number('row')}, ${number('column')}, sum: f32) {
  if (row >= p.m || column >= p.n) { return; }
  let at = base + row * p.n + column;
  var value = sum${unscaled};
${useBias ? biasOf(gather) : ''}
${keepsInner ? '  inner[at] = value;' : ''}
${activation === 'none' ? '' : `  value = ${activation}_of(value);`}
${isGated ? '  gated[at] = fma(gate[(row / p.tokens) * p.n + column], value, x[at]);' : ''}
  out[at] ${accumulates ? '+=' : '='} value;
}
${sums === 'none' ? '' : `fn finish_sum(row: u32, sum: f32) { if (row < p.m) { sums[row] ${sums === 'add' ? '+=' : '='} sum${unscaled}; } }`}`,
    begin: `  let first_row = wg.y * ${tile.rows}u;
  let first_column = wg.x * ${tile.columns}u;
  let base_a = ${gather === undefined ? 'wg.z * p.m * p.k' : gather.a === undefined ? '0u' : 'wg.z'};
  let base_b = ${gather?.b === undefined ? 'wg.z * p.k * p.n' : 'wg.z'};`,
    shared,
    wide,
    loadTile({ name, extent, depth, lanes, store }) {
      const { isAlongTerms, first, limit, convert } = operands[name]
      const quads = (isAlongTerms ? depth : extent) / 4
      const [line, value] = isAlongTerms
        ? ['row', `load_${name}(base_${name}, ${first} + row, first_term + 4u * quad, ${limit})`]
        : ['term', `load_${name}(base_${name}, first_term + term, ${first} + 4u * quad, p.k)`]
      return `    for (var i = lane; i < ${(extent * depth) / 4}u; i += ${lanes}u) {
      let ${line} = i / ${quads}u;
      let quad = i % ${quads}u;
      ${store(line, 'quad', convert(value))}
    }`
    },
  }
}

function loadsOfB({ gather, transposeB, isVectorB, storedB }: ProductVariant): string {
  if (gather?.b !== undefined) return picker('b', 'column', 'n', gather.b)
  const width = transposeB ? 'k' : 'n'
  return storedB === 'f32' ? loader('b', width, isVectorB) : halfLoader(storedB, width, isVectorB)
}

function biasOf(gather: Gather | undefined): string {
  if (gather === undefined) return '  value += bias[column];'
  return `  let group = base / (p.m * p.n);
  value += bias[${gather.bias ?? 'row'}];`
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

/** Its name in caches and errors. */
export function describe(variant: ProductVariant): string {
  const { tile, transposeA, transposeB, isVectorA, isVectorB, half, useBias, activation } = variant
  const { keepsInner, accumulates, isGated, sums, units } = variant
  return [
    `product/${tile.rows}x${tile.columns}`,
    `${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}${isVectorA ? 4 : 1}${isVectorB ? 4 : 1}`,
    ...(variant.gather === undefined ? [] : [variant.gather.name]),
    ...(variant.storedB === 'f32' ? [] : [`b-${variant.storedB}`]),
    ...(half === 'none' ? [] : [half]),
    ...(units === null ? [] : [`units-${units.M}x${units.N}x${units.K}`]),
    ...(useBias ? ['bias'] : []),
    ...(activation === 'none' ? [] : [activation]),
    ...(keepsInner ? ['inner'] : []),
    ...(accumulates ? ['add'] : []),
    ...(isGated ? ['gated'] : []),
    ...(sums === 'none' ? [] : [`sums-${sums}`]),
  ].join('/')
}
