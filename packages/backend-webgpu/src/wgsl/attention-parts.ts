import type { ParamType } from '../runtime/kernel.js'
import { type Half, halfTiles } from './half.js'

/** How attention is cut: `own` rows of a workgroup against `other` rows at a time; multiples of 8. */
export interface AttentionTile {
  readonly own: number
  readonly other: number
}

export interface AttentionVariant {
  readonly headDim: number
  readonly tile: AttentionTile
  /** How tiles lie in shared memory; products and statistics are f32. */
  readonly half: Half
  /** Whether the log-sum-exp is written, for the backward pass. */
  readonly keep: boolean
  /** Whether queries ask themselves, as parts of one buffer, or others; and then whether only some of these count. */
  readonly others?: 'all' | 'some'
}

/** Where rows of heads stand. */
export interface Rows {
  readonly name: string
  /** Floats from one token to the next, and where the head begins in them. */
  readonly width: string
  readonly start: string
  /** Tokens of a sample, and those that count. */
  readonly count: string
  readonly limit: string
}

/** Queries, keys and values, and their gradients under the same names with a d before. */
function rowsOf(others: AttentionVariant['others']): { readonly q: Rows; readonly k: Rows; readonly v: Rows } {
  if (others === undefined) {
    const own = (start: string) => ({ name: 'qkv', width: '3u * p.width', start, count: 'p.tokens', limit: 'p.tokens' })
    return { q: own('head'), k: own('p.width + head'), v: own('2u * p.width + head') }
  }
  const of = { width: 'p.width', start: 'head' }
  const other = { ...of, count: 'p.others', limit: 'wg_keys' }
  return {
    q: { ...of, name: 'q', count: 'p.tokens', limit: 'p.tokens' },
    k: { ...other, name: 'k' },
    v: { ...other, name: 'v' },
  }
}

/** Rows of the results. */
export const outRows = (name: 'out' | 'dout'): Rows => ({
  name,
  width: 'p.width',
  start: 'head',
  count: 'p.tokens',
  limit: 'p.tokens',
})

/** Invocations of a workgroup: 8 x 8, each with own / 8 rows and other / 8 columns. */
const LANES = 64
export const SIDE = 8

export const range = (count: number) => Array.from({ length: count }, (_, i) => i)

/**
 * Everything that the three kernels have in common, as text.
 *
 * @param lengthOfSample keys that count where only some do
 */
export function attentionParts(
  { headDim, tile: { own, other }, half, others }: AttentionVariant,
  lengthOfSample: string,
) {
  const depth = Math.ceil(headDim / 4)
  // An odd number of vectors a row: neighbouring rows begin in other banks.
  const stride = depth + (depth % 2 === 0 ? 1 : 0)
  const isVector = headDim % 4 === 0
  const [R, C, V] = [own / SIDE, other / SIDE, Math.ceil(depth / SIDE)]
  const { type, narrow, wide, directives, declarations } = halfTiles(half)
  const storage = isVector ? 'vec4<f32>' : 'f32'

  const access = ({ name, count, limit }: Rows) => `
fn load_${name}(row: u32, row_width: u32, start: u32, quad: u32) -> vec4<f32> {
  if (row >= ${limit}) { return vec4<f32>(0.0); }
  let at = (wg_sample * ${count} + row) * row_width + start + 4u * quad;
${
  isVector
    ? `  return ${name}[at / 4u];`
    : `  var four = vec4<f32>(0.0);
  for (var i = 0u; i < 4u; i++) { if (4u * quad + i < ${headDim}u) { four[i] = ${name}[at + i]; } }
  return four;`
}
}
`
  const store = ({ name, count }: Rows) => `
fn store_${name}(row: u32, row_width: u32, start: u32, quad: u32, four: vec4<f32>) {
  if (row >= ${count}) { return; }
  let at = (wg_sample * ${count} + row) * row_width + start + 4u * quad;
${
  isVector
    ? `  ${name}[at / 4u] = four;`
    : `  for (var i = 0u; i < 4u; i++) { if (4u * quad + i < ${headDim}u) { ${name}[at + i] = four[i]; } }`
}
}
`
  /** Fills a tile with rows `first`, `first + 1`, ... of the head. */
  const fill = (target: string, rows: number, first: string, { name, width, start }: Rows) => {
    const value = `load_${name}(${first} + row, ${width}, ${start}, quad)`
    return `  for (var i = lane; i < ${rows * depth}u; i += ${LANES}u) {
    let row = i / ${depth}u;
    let quad = i % ${depth}u;
    ${target}[row * ${stride}u + quad] = ${narrow(half !== 'none' && name === 'dout' ? `${value} * p.lift` : value)};
  }`
  }
  /** result_i_j = own row i times other row j */
  const products = (result: string, mine: string, theirs: string) =>
    `${range(R)
      .flatMap((i) => range(C).map((j) => `  var ${result}${i}_${j} = 0.0;`))
      .join('\n')}
  for (var quad = 0u; quad < ${depth}u; quad++) {
${range(R)
  .map((i) => `    let x${i} = ${wide(`${mine}[(ty + ${i * SIDE}u) * ${stride}u + quad]`)};`)
  .join('\n')}
${range(C)
  .map((j) => `    let y${j} = ${wide(`${theirs}[(tx + ${j * SIDE}u) * ${stride}u + quad]`)};`)
  .join('\n')}
${range(R)
  .flatMap((i) =>
    range(C).map((j) => {
      const name = `${result}${i}_${j}`
      return `    ${name} = fma(x${i}.x, y${j}.x, fma(x${i}.y, y${j}.y, fma(x${i}.z, y${j}.z, fma(x${i}.w, y${j}.w, ${name}))));`
    }),
  )
  .join('\n')}
  }`
  /** result_i_v += weight[own i][other k] * row k */
  const mix = (result: string, theirs: string) =>
    `  for (var k = 0u; k < ${other}u; k++) {
${range(R)
  .map((i) => `    let w${i} = weights[(ty + ${i * SIDE}u) * ${other + 1}u + k];`)
  .join('\n')}
${range(V)
  .map((v) => {
    const quad = `tx + ${v * SIDE}u`
    const update = range(R)
      .map((i) => `${result}${i}_${v} = fma(vec4<f32>(w${i}), y${v}, ${result}${i}_${v});`)
      .join(' ')
    const body = `let y${v} = ${wide(`${theirs}[k * ${stride}u + ${quad}]`)}; ${update}`
    return (v + 1) * SIDE <= depth ? `    ${body}` : `    if (${quad} < ${depth}u) { ${body} }`
  })
  .join('\n')}
  }`
  const setWeights = (value: string) =>
    range(R)
      .flatMap((i) =>
        range(C).map((j) => `  weights[(ty + ${i * SIDE}u) * ${other + 1}u + tx + ${j * SIDE}u] = ${value}${i}_${j};`),
      )
      .join('\n')
  const zeros = (result: string) =>
    range(R)
      .flatMap((i) => range(V).map((v) => `  var ${result}${i}_${v} = vec4<f32>(0.0);`))
      .join('\n')
  const storeAll = (result: string, { name, width, start }: Rows, factor: (i: number) => string) =>
    range(R)
      .flatMap((i) =>
        range(V).map(
          (v) =>
            `  if (tx + ${v * SIDE}u < ${depth}u) { store_${name}(first + ty + ${i * SIDE}u, ${width}, ${start}, tx + ${v * SIDE}u, ${result}${i}_${v} * ${factor(i)}); }`,
        ),
      )
      .join('\n')
  const params: [string, ParamType][] = [
    ['tokens', 'u32'],
    ['width', 'u32'],
    ['heads', 'u32'],
    ['scale', 'f32'],
    ['lift', 'f32'],
    ...(others === undefined
      ? []
      : ([
          ['others', 'u32'],
          ['rows', 'u32'],
        ] as [string, ParamType][])),
  ]
  const shared = (tiles: readonly (readonly [string, number])[]) =>
    `${declarations}
var<private> wg_sample: u32;
var<private> wg_keys: u32;
${tiles.map(([name, rows]) => `var<workgroup> ${name}: array<${type}, ${rows * stride}>;`).join('\n')}
var<workgroup> weights: array<f32, ${own * (other + 1)}>;
var<workgroup> row_parts: array<f32, ${own * SIDE}>;`
  const start = `  wg_sample = wg.z;
  let keys = ${others === undefined ? 'p.tokens' : others === 'all' ? 'p.others' : lengthOfSample};
  wg_keys = keys;
  let first = wg.x * ${own}u;
  let tx = lane % ${SIDE}u;
  let ty = lane / ${SIDE}u;
  let head = wg.y * ${headDim}u;
  let rows_before = (wg.z * p.heads + wg.y) * p.tokens;`
  const common = {
    params,
    workgroupSize: [LANES, 1, 1] as const,
    directives,
  }
  const { q, k, v } = rowsOf(others)
  return {
    q,
    k,
    v,
    R,
    C,
    V,
    storage,
    access,
    store,
    fill,
    products,
    mix,
    setWeights,
    zeros,
    storeAll,
    shared,
    start,
    common,
  }
}

export const barrier = '  workgroupBarrier();'
