import type { HeadNormViews, ModernKernels, RotationViews, View } from '@dit/tensor'
import { type KernelSource, reads, type StorageBinding, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { rowReduction } from '../wgsl/row-reduction.js'
import { plain } from './saved.js'

const LANES = 64
/** Tokens of which a workgroup of the backward pass adds up the gradients of the scales. */
const ROWS = 16

interface Steps {
  readonly hasNorm: boolean
  readonly hasRotation: boolean
}

/** Forward a workgroup for each head of a token. Nothing is saved: the backward pass computes norms again. */
export function qkNormRopeKernels(runtime: Runtime): Pick<ModernKernels, 'qkNormRope' | 'qkNormRopeBackward'> {
  return {
    qkNormRope(qkv, numHeads, norm, rotation, out) {
      const [B, N, width] = qkv.shape
      const steps = { hasNorm: norm !== null, hasRotation: rotation !== null }
      const kernel = runtime.kernel(`qkNormRope/${steps.hasNorm}/${steps.hasRotation}`, () =>
        forwardSource(steps, runtime.capabilities.useSubgroups),
      )
      const count = B * N * 3 * numHeads
      const params = [count, N, numHeads, width / 3 / numHeads, norm?.epsilon ?? 0]
      runtime.run(kernel, [qkv, ...tables(norm, rotation)], [out], params, spread(count))
      return null
    },
    qkNormRopeBackward(givenQkv, numHeads, givenNorm, givenRotation, _saved, givenDout, outputs) {
      const [B, N, width] = givenDout.shape
      const headDim = width / 3 / numHeads
      const [qkv, dout] = [givenQkv && plain(givenQkv), plain(givenDout)]
      const norm = givenNorm && { ...givenNorm, q: plain(givenNorm.q), k: plain(givenNorm.k) }
      const rotation = givenRotation && { cos: plain(givenRotation.cos), sin: plain(givenRotation.sin) }
      const steps = { hasNorm: norm !== null, hasRotation: rotation !== null }
      const inputs = [...(qkv === null || norm === null ? [] : [qkv]), ...tables(norm, rotation), dout]
      const views = [outputs.dqkv, outputs.dq, outputs.dk].filter((view) => view !== null).map(plain)
      runtime.deferred.defer({
        inputs,
        outputs: views,
        canAccumulate: true,
        canGate: false,
        run(given) {
          const [target, ...ofScales] = views.map((view, i) => given[i] ?? { view, accumulates: false })
          const units = Math.ceil((B * N) / ROWS)
          const chunks = Math.ceil(headDim / LANES)
          const { hasNorm, hasRotation } = steps
          const key = `${hasNorm}/${hasRotation}/${target.accumulates}/${chunks}`
          const kernel = runtime.kernel(`qkNormRopeBackward/${key}`, () =>
            backwardSource(steps, target.accumulates, chunks, runtime.capabilities.useSubgroups),
          )
          const params = [B * N, N, numHeads, headDim, units, norm?.epsilon ?? 0]
          const parts = norm === null ? null : runtime.temporary(units * 2 * headDim)
          runtime.run(kernel, inputs, [target.view, ...(parts === null ? [] : [parts])], params, spread(3 * units))
          if (parts === null) return
          sumParts(parts, ofScales, units, headDim)
          runtime.release(parts)
        },
      })
    },
  }

  /** The gradients of both scales, unit after unit. */
  function sumParts(
    parts: View,
    targets: readonly { readonly view: View; readonly accumulates: boolean }[],
    units: number,
    headDim: number,
  ): void {
    const into = targets.map(({ accumulates }) => (accumulates ? '+=' : '='))
    const kernel = runtime.kernel(`qkNormRopeScales/${into.join()}`, () => ({
      label: 'gradient of the scales of qkNormRope',
      storage: [reads('parts'), writes('dq'), writes('dk')],
      params: [
        ['units', 'u32'],
        ['width', 'u32'],
      ],
      workgroupSize: [LANES, 1, 1],
      body: `  let column = (wg.x + wg.y * groups.x) * ${LANES}u + lane;
  if (column >= 2u * p.width) { return; }
  var sum = 0.0;
  for (var unit = 0u; unit < p.units; unit++) { sum += parts[unit * 2u * p.width + column]; }
  if (column < p.width) { dq[column] ${into[0]} sum; } else { dk[column - p.width] ${into[1]} sum; }`,
    }))
    const views = targets.map(({ view }) => view)
    runtime.run(kernel, [parts], views, [units, headDim], spread(Math.ceil((2 * headDim) / LANES)))
  }
}

function tables(norm: HeadNormViews | null, rotation: RotationViews | null): View[] {
  return [...(norm === null ? [] : [norm.q, norm.k]), ...(rotation === null ? [] : [rotation.cos, rotation.sin])]
}

function tableBindings({ hasNorm, hasRotation }: Steps): StorageBinding[] {
  return [
    ...(hasNorm ? [reads('q_scale'), reads('k_scale')] : []),
    ...(hasRotation ? [reads('cosines'), reads('sines')] : []),
  ]
}

const SCALE = `
fn scale_of(part: u32, i: u32) -> f32 {
  if (part == 0u) { return q_scale[i]; }
  return k_scale[i];
}`

function forwardSource({ hasNorm, hasRotation }: Steps, useSubgroups: boolean): KernelSource {
  const reduction = rowReduction(LANES, { useSubgroups })
  const normed = (i: string) => (hasNorm ? `qkv[start + ${i}] * inverse * scale_of(part, ${i})` : `qkv[start + ${i}]`)
  return {
    label: 'qkNormRope',
    storage: [reads('qkv'), ...tableBindings({ hasNorm, hasRotation }), writes('out')],
    params: [
      ['count', 'u32'],
      ['tokens', 'u32'],
      ['heads', 'u32'],
      ['width', 'u32'],
      ['epsilon', 'f32'],
    ],
    workgroupSize: [LANES, 1, 1],
    useSubgroups: hasNorm && useSubgroups,
    declarations: hasNorm ? reduction.declarations + SCALE : '',
    body: `  let head = wg.x + wg.y * groups.x;
  if (head >= p.count) { return; }
  let start = head * p.width;
  let part = head / p.heads % 3u;
  if (part == 2u) {
    for (var i = lane; i < p.width; i += ${LANES}u) { out[start + i] = qkv[start + i]; }
    return;
  }
${
  hasNorm
    ? `  var squares = 0.0;
  for (var i = lane; i < p.width; i += ${LANES}u) { squares = fma(qkv[start + i], qkv[start + i], squares); }
  let inverse = 1.0 / sqrt(row_sum(lane, squares) / f32(p.width) + p.epsilon);`
    : ''
}
${hasRotation ? '  let place = head / (3u * p.heads) % p.tokens * p.width;' : ''}
  for (var i = lane; i < p.width; i += ${LANES}u) {
    let value = ${normed('i')};
${
  hasRotation
    ? `    let other = i ^ 1u;
    let across = ${normed('other')} * sines[place + i];
    out[start + i] = fma(value, cosines[place + i], select(-across, across, (i & 1u) == 1u));`
    : '    out[start + i] = value;'
}
  }`,
  }
}

/** A workgroup for the queries, the keys or the values of some tokens. */
function backwardSource(
  { hasNorm, hasRotation }: Steps,
  accumulates: boolean,
  chunks: number,
  useSubgroups: boolean,
): KernelSource {
  const reduction = rowReduction(LANES, { useSubgroups })
  const into = accumulates ? '+=' : '='
  // What reaches a channel comes from itself and from its neighbour.
  const gradient = hasRotation
    ? `
fn before_turn(start: u32, place: u32, i: u32) -> f32 {
  let other = i ^ 1u;
  let across = dout[start + other] * sines[place + other];
  return fma(dout[start + i], cosines[place + i], select(across, -across, (i & 1u) == 1u));
}`
    : `
fn before_turn(start: u32, place: u32, i: u32) -> f32 { return dout[start + i]; }`
  const plainHead = `        for (var i = lane; i < p.width; i += ${LANES}u) { dqkv[start + i] ${into} before_turn(start, place, i); }`
  const normedHead = `        var squares = 0.0;
        var product = 0.0;
        for (var i = lane; i < p.width; i += ${LANES}u) {
          let x = qkv[start + i];
          squares = fma(x, x, squares);
          product = fma(before_turn(start, place, i) * scale_of(part, i), x, product);
        }
        let inverse = 1.0 / sqrt(row_sum(lane, squares) / f32(p.width) + p.epsilon);
        let mean_product = row_sum(lane, product) * inverse / f32(p.width);
        for (var c = 0u; c < ${chunks}u; c++) {
          let i = lane + c * ${LANES}u;
          if (i < p.width) {
            let d = before_turn(start, place, i);
            let normalized = qkv[start + i] * inverse;
            dqkv[start + i] ${into} inverse * (d * scale_of(part, i) - normalized * mean_product);
            sums[c] = fma(d, normalized, sums[c]);
          }
        }`
  return {
    label: 'gradient of qkNormRope',
    storage: [
      ...(hasNorm ? [reads('qkv')] : []),
      ...tableBindings({ hasNorm, hasRotation }),
      reads('dout'),
      writes('dqkv'),
      ...(hasNorm ? [writes('parts')] : []),
    ],
    params: [
      ['rows', 'u32'],
      ['tokens', 'u32'],
      ['heads', 'u32'],
      ['width', 'u32'],
      ['units', 'u32'],
      ['epsilon', 'f32'],
    ],
    workgroupSize: [LANES, 1, 1],
    useSubgroups: hasNorm && useSubgroups,
    declarations: (hasNorm ? reduction.declarations + SCALE : '') + gradient,
    body: `  let group = wg.x + wg.y * groups.x;
  let part = group % 3u;
  let unit = group / 3u;
  if (unit >= p.units) { return; }
${hasNorm ? `  var sums: array<f32, ${chunks}>;` : ''}
  let last = min((unit + 1u) * ${ROWS}u, p.rows);
  for (var row = unit * ${ROWS}u; row < last; row++) {
    let place = row % p.tokens * p.width;
    for (var head = 0u; head < p.heads; head++) {
      let start = ((row * 3u + part) * p.heads + head) * p.width;
      if (part == 2u) {
        for (var i = lane; i < p.width; i += ${LANES}u) { dqkv[start + i] ${into} dout[start + i]; }
      } else {
${hasNorm ? normedHead : plainHead}
      }
    }
  }
${
  hasNorm
    ? `  if (part < 2u) {
    for (var c = 0u; c < ${chunks}u; c++) {
      let i = lane + c * ${LANES}u;
      if (i < p.width) { parts[(unit * 2u + part) * p.width + i] = sums[c]; }
    }
  }`
    : ''
}`,
  }
}
