import { type KernelSource, reads, writes } from '../runtime/kernel.js'
import {
  attentionParts,
  type AttentionTile,
  type AttentionVariant,
  barrier,
  outRows,
  range,
  type Rows,
  SIDE,
} from './attention-parts.js'
import { type Half, halfTiles } from './half.js'

/** Keys of a sample that count, in the backward pass. */
const LENGTH = 'u32(statistics[2u * p.rows + wg.z])'

/** Bytes of shared memory of the kernel that needs most. */
export function attentionBytes(headDim: number, { own, other }: AttentionTile, half: Half): number {
  const depth = Math.ceil(headDim / 4)
  const stride = depth + (depth % 2 === 0 ? 1 : 0)
  return (2 * own + other) * stride * halfTiles(half).bytes + own * (other + 1) * 4 + own * SIDE * 4
}

/** Each once: parts of one buffer have one name. */
const named = (all: readonly Rows[]) => [...new Map(all.map((rows) => [rows.name, rows])).values()]

/** The gradient of rows, laid out alike. */
const gradientOf = (rows: Rows): Rows => ({ ...rows, name: `d${rows.name}` })

const OUT = outRows('out')
const DOUT = outRows('dout')

/**
 * Attention with a running softmax: no matrix of scores exists, only tiles of it.
 *
 *   out = softmax(q k^T / sqrt(headDim)) v        logSumExp = log sum exp(q k^T / sqrt(headDim))
 *
 * Dao et al. 2022, "FlashAttention", algorithm 1; the sums are divided once, at the end, as in Dao 2023, section 3.1.1.
 */
export function attentionSource(variant: AttentionVariant): KernelSource {
  const { tile, keep, others } = variant
  const { q, k, v, R, C, V, storage, access, store, fill, products, mix, setWeights, zeros, storeAll, ...parts } =
    attentionParts(variant, 'u32(lengths[wg.z])')
  const { shared, start, common } = parts
  const { own, other } = tile
  const rows = range(R)
  const gather = (combine: (value: string) => string, i: number) =>
    range(SIDE).map((k) => combine(`row_parts[(ty + ${i * SIDE}u) * ${SIDE}u + ${k}u]`))
  return {
    ...common,
    label: `attention of width ${variant.headDim}`,
    storage: [
      ...named([q, k, v]).map(({ name }) => reads(name, storage)),
      ...(others === 'some' ? [reads('lengths', 'i32')] : []),
      writes('out', storage),
      ...(keep ? [writes('log_sums')] : []),
    ],
    declarations: `${shared([
      ['own_tile', own],
      ['other_tile', other],
    ])}${named([q, k, v]).map(access).join('')}${store(OUT)}`,
    body: `${start}
${fill('own_tile', own, 'first', q)}
${zeros('o')}
${rows.map((i) => `  var largest${i} = -3.0e38;\n  var total${i} = 0.0;`).join('\n')}
  for (var other_first = 0u; other_first < keys; other_first += ${other}u) {
${barrier}
${fill('other_tile', other, 'other_first', k)}
${barrier}
${products('s', 'own_tile', 'other_tile')}
${rows
  .flatMap((i) =>
    range(C).map(
      (j) => `  s${i}_${j} = select(-3.0e38, s${i}_${j} * p.scale, other_first + tx + ${j * SIDE}u < keys);`,
    ),
  )
  .join('\n')}
${rows
  .map(
    (i) =>
      `  row_parts[(ty + ${i * SIDE}u) * ${SIDE}u + tx] = ${range(C)
        .map((j) => `s${i}_${j}`)
        .reduce((a, b) => `max(${a}, ${b})`)};`,
  )
  .join('\n')}
${barrier}
${rows
  .map((i) =>
    [
      `  let now${i} = ${gather((value) => value, i).reduce((a, b) => `max(${a}, ${b})`, `largest${i}`)};`,
      `  let shrink${i} = exp(largest${i} - now${i});`,
      `  largest${i} = now${i};`,
      ...range(C).map((j) => `  let e${i}_${j} = exp(s${i}_${j} - now${i});`),
      `  total${i} = total${i} * shrink${i} + (${range(C)
        .map((j) => `e${i}_${j}`)
        .join(' + ')});`,
      ...range(V).map((v) => `  o${i}_${v} *= shrink${i};`),
    ].join('\n'),
  )
  .join('\n')}
${setWeights('e')}
${fill('other_tile', other, 'other_first', v)}
${barrier}
${mix('o', 'other_tile')}
  }
${barrier}
${rows.map((i) => `  row_parts[(ty + ${i * SIDE}u) * ${SIDE}u + tx] = total${i};`).join('\n')}
${barrier}
${rows.map((i) => `  let sum${i} = ${gather((value) => value, i).join(' + ')};`).join('\n')}
${storeAll('o', OUT, (i) => `(1.0 / sum${i})`)}
${
  keep
    ? rows
        .map(
          (i) =>
            `  if (tx == 0u && first + ty + ${i * SIDE}u < p.tokens) { log_sums[rows_before + first + ty + ${i * SIDE}u] = largest${i} + log(sum${i}); }`,
        )
        .join('\n')
    : ''
}`,
  }
}

/**
 * Gradient of q, tile by tile of q, and delta = sum(dout * out) of each row for the other half of the backward pass.
 *
 *   dscores = p (dout v^T - delta)        dq = dscores k / sqrt(headDim)
 *
 * Dao et al. 2022, algorithm 4, split in two so that nothing is added by two workgroups.
 */
export function queryGradientSource(variant: AttentionVariant): KernelSource {
  const { q, k, v, R, C, storage, access, store, fill, products, mix, setWeights, zeros, storeAll, ...parts } =
    attentionParts(variant, LENGTH)
  const { shared, start, common } = parts
  const {
    tile: { own, other },
    half,
    others,
  } = variant
  const depth = Math.ceil(variant.headDim / 4)
  const rows = range(R)
  const ownDelta = `${rows
    .map(
      (i) => `  var part${i} = 0.0;
  for (var quad = tx; quad < ${depth}u; quad += ${SIDE}u) {
    let row = first + ty + ${i * SIDE}u;
    part${i} += dot(load_dout(row, p.width, head, quad), load_out(row, p.width, head, quad));
  }
  row_parts[(ty + ${i * SIDE}u) * ${SIDE}u + tx] = part${i};`,
    )
    .join('\n')}
${barrier}
${rows
  .map(
    (i) => `  let row${i} = first + ty + ${i * SIDE}u;
  let delta${i} = ${range(SIDE)
    .map((k) => `row_parts[(ty + ${i * SIDE}u) * ${SIDE}u + ${k}u]`)
    .join(' + ')};
  let log_sum${i} = log_sums[rows_before + min(row${i}, p.tokens - 1u)];
  if (tx == 0u && row${i} < p.tokens) { delta[rows_before + row${i}] = delta${i}; }`,
  )
  .join('\n')}`
  const givenDelta = rows
    .map(
      (i) => `  let row${i} = min(first + ty + ${i * SIDE}u, p.tokens - 1u);
  let log_sum${i} = statistics[rows_before + row${i}];
  let delta${i} = statistics[p.rows + rows_before + row${i}];`,
    )
    .join('\n')
  return {
    ...common,
    label: `gradient of q in attention of width ${variant.headDim}`,
    storage: [
      ...named([q, k, v]).map(({ name }) => reads(name, storage)),
      ...(others === undefined ? [reads('out', storage), reads('log_sums')] : [reads('statistics')]),
      reads('dout', storage),
      ...(others === undefined ? [writes('delta')] : []),
      writes(gradientOf(q).name, storage),
    ],
    declarations: `${shared([
      ['own_tile', own],
      ['dout_tile', own],
      ['other_tile', other],
    ])}${[...named([q, k, v]), ...(others === undefined ? [OUT] : []), DOUT].map(access).join('')}${store(gradientOf(q))}`,
    body: `${start}
${fill('own_tile', own, 'first', q)}
${fill('dout_tile', own, 'first', DOUT)}
${others === undefined ? ownDelta : givenDelta}
${zeros('d')}
  for (var other_first = 0u; other_first < keys; other_first += ${other}u) {
${barrier}
${fill('other_tile', other, 'other_first', k)}
${barrier}
${products('s', 'own_tile', 'other_tile')}
${barrier}
${fill('other_tile', other, 'other_first', v)}
${barrier}
${products('g', 'dout_tile', 'other_tile')}
${rows
  .flatMap((i) =>
    range(C).map(
      (j) =>
        `  let e${i}_${j} = select(0.0, exp(s${i}_${j} * p.scale - log_sum${i}), other_first + tx + ${j * SIDE}u < keys) * (g${i}_${j} ${half !== 'none' ? '/ p.lift ' : ''}- delta${i}) * p.scale;`,
    ),
  )
  .join('\n')}
${setWeights('e')}
${barrier}
${fill('other_tile', other, 'other_first', k)}
${barrier}
${mix('d', 'other_tile')}
  }
${storeAll('d', gradientOf(q), () => '1.0')}`,
  }
}

/** Gradients of k and v, tile by tile of these: dv = p^T dout, dk = dscores^T q / sqrt(headDim). */
export function keyGradientSource(variant: AttentionVariant): KernelSource {
  const { q, k, v, R, C, storage, access, store, fill, products, mix, setWeights, zeros, storeAll, ...parts } =
    attentionParts(variant, LENGTH)
  const { shared, start, common } = parts
  const {
    tile: { own, other },
    half,
    others,
  } = variant
  const statistics =
    others === undefined
      ? { logSum: 'log_sums[', delta: 'delta[' }
      : { logSum: 'statistics[', delta: 'statistics[p.rows + ' }
  // Of keys that do not count rows are stored, too: zeros.
  const counts = (i: number, j: number) =>
    others === undefined ? `column${j} < p.tokens` : `column${j} < p.tokens && first + ty + ${i * SIDE}u < keys`
  const rows = range(R)
  return {
    ...common,
    label: `gradient of k and v in attention of width ${variant.headDim}`,
    storage: [
      ...named([q, k, v]).map(({ name }) => reads(name, storage)),
      ...(others === undefined ? [reads('log_sums'), reads('delta')] : [reads('statistics')]),
      reads('dout', storage),
      ...named([k, v]).map((each) => writes(gradientOf(each).name, storage)),
    ],
    declarations: `${shared([
      ['key_tile', own],
      ['value_tile', own],
      ['other_tile', other],
    ])}${[...named([q, k, v]), DOUT].map(access).join('')}${named([k, v]).map(gradientOf).map(store).join('')}`,
    body: `${start}
${fill('key_tile', own, 'first', k)}
${fill('value_tile', own, 'first', v)}
${zeros('dk')}
${zeros('dv')}
  for (var other_first = 0u; other_first < p.tokens; other_first += ${other}u) {
${barrier}
${fill('other_tile', other, 'other_first', q)}
${barrier}
${products('s', 'key_tile', 'other_tile')}
${range(C)
  .map(
    (j) => `  let column${j} = other_first + tx + ${j * SIDE}u;
  let at${j} = rows_before + min(column${j}, p.tokens - 1u);
  let log_sum${j} = ${statistics.logSum}at${j}];
  let delta${j} = ${statistics.delta}at${j}];`,
  )
  .join('\n')}
${rows
  .flatMap((i) =>
    range(C).map((j) => `  let e${i}_${j} = select(0.0, exp(s${i}_${j} * p.scale - log_sum${j}), ${counts(i, j)});`),
  )
  .join('\n')}
${setWeights('e')}
${barrier}
${fill('other_tile', other, 'other_first', DOUT)}
${barrier}
${mix('dv', 'other_tile')}
${products('g', 'value_tile', 'other_tile')}
${rows
  .flatMap((i) =>
    range(C).map(
      (j) => `  let f${i}_${j} = e${i}_${j} * (g${i}_${j} ${half !== 'none' ? '/ p.lift ' : ''}- delta${j}) * p.scale;`,
    ),
  )
  .join('\n')}
${barrier}
${setWeights('f')}
${fill('other_tile', other, 'other_first', q)}
${barrier}
${mix('dk', 'other_tile')}
  }
${storeAll('dk', gradientOf(k), () => '1.0')}
${storeAll('dv', gradientOf(v), () => (half !== 'none' ? '(1.0 / p.lift)' : '1.0'))}`,
  }
}
