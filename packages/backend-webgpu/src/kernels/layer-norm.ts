import type { FusedKernels } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { rowReduction } from '../wgsl/row-reduction.js'
import { plain, saving, viewOf } from './saved.js'

const LANES = 128
/** Of a workgroup that sums over tokens: neighbouring columns, each summed by LANES / COLUMNS invocations. */
const COLUMNS = 32

/** A workgroup for each token; it saves [mean, 1 / deviation]. */
export function layerNormKernels(
  runtime: Runtime,
): Pick<FusedKernels, 'layerNormModulate' | 'layerNormModulateBackward'> {
  return {
    layerNormModulate(x, shift, scale, epsilon, out, keep) {
      const [B, N, D] = x.shape
      const saved = saving(runtime, 2 * B * N, keep)
      const kernel = runtime.kernel(`layerNorm/${keep}`, () => ({
        label: 'layerNormModulate',
        storage: [reads('x'), reads('shift'), reads('scale'), writes('out'), ...(keep ? [writes('saved')] : [])],
        params: [
          ['rows', 'u32'],
          ['tokens', 'u32'],
          ['width', 'u32'],
          ['epsilon', 'f32'],
        ],
        workgroupSize: [LANES, 1, 1],
        ...rowReduction(LANES, runtime.capabilities),
        body: `  let row = wg.x + wg.y * groups.x;
  if (row >= p.rows) { return; }
  let start = row * p.width;
  let sample = (row / p.tokens) * p.width;
  var sum = 0.0;
  for (var i = lane; i < p.width; i += ${LANES}u) { sum += x[start + i]; }
  let mean = row_sum(lane, sum) / f32(p.width);
  var squares = 0.0;
  for (var i = lane; i < p.width; i += ${LANES}u) { let d = x[start + i] - mean; squares = fma(d, d, squares); }
  let inverse = 1.0 / sqrt(row_sum(lane, squares) / f32(p.width) + p.epsilon);
  for (var i = lane; i < p.width; i += ${LANES}u) {
    out[start + i] = fma((x[start + i] - mean) * inverse, 1.0 + scale[sample + i], shift[sample + i]);
  }
${keep ? '  if (lane == 0u) { saved[2u * row] = mean; saved[2u * row + 1u] = inverse; }' : ''}`,
      }))
      const outputs = saved === null ? [out] : [out, saved.view]
      runtime.run(kernel, [x, shift, scale], outputs, [B * N, N, D, epsilon], spread(B * N))
      return saved
    },
    layerNormModulateBackward(givenX, givenScale, _epsilon, saved, givenDout, outputs) {
      const [x, scale, dout] = [givenX, givenScale, givenDout].map(plain)
      const [dx, dshift, dscale] = [outputs.dx, outputs.dshift, outputs.dscale].map(plain)
      const [B, N, D] = x.shape
      const statistics = viewOf(saved!)
      runtime.deferred.defer({
        inputs: [x, scale, statistics, dout],
        outputs: [dx, dshift, dscale],
        canAccumulate: true,
        canGate: false,
        run(targets) {
          const [dxTarget, dshiftTarget, dscaleTarget] = [dx, dshift, dscale].map(
            (view, i) => targets[i] ?? { view, accumulates: false },
          )
          const isSum = [dxTarget, dshiftTarget, dscaleTarget].map(({ accumulates }) => accumulates)
          const kernel = runtime.kernel(`layerNormBackward/${isSum.map(Number).join('')}`, () =>
            backwardSource(isSum, runtime.capabilities.useSubgroups),
          )
          const blocks = Math.ceil(D / COLUMNS)
          const outputs = [dxTarget.view, dshiftTarget.view, dscaleTarget.view]
          const params = [B * N, N, D, blocks, B * blocks]
          runtime.run(kernel, [x, scale, statistics, dout], outputs, params, spread(B * N + B * blocks))
        },
      })
    },
  }
}

/** The first workgroups make dx, one a token; the others dshift and dscale, one for some columns of a sample. */
function backwardSource([dx, dshift, dscale]: readonly boolean[], useSubgroups: boolean) {
  const reduction = rowReduction(LANES, { useSubgroups })
  const into = (isSum: boolean) => (isSum ? '+=' : '=')
  const rowLanes = LANES / COLUMNS
  return {
    label: 'gradient of layerNormModulate',
    storage: [
      reads('x'),
      reads('scale'),
      reads('saved'),
      reads('dout'),
      writes('dx'),
      writes('dshift'),
      writes('dscale'),
    ],
    params: (['rows', 'tokens', 'width', 'blocks', 'column_groups'] as const).map((name) => [name, 'u32'] as const),
    workgroupSize: [LANES, 1, 1] as const,
    useSubgroups,
    declarations: `${reduction.declarations}
var<workgroup> shifts: array<f32, ${LANES}>;
var<workgroup> scales: array<f32, ${LANES}>;`,
    body: `  let group = wg.x + wg.y * groups.x;
  if (group < p.rows) {
    let row = group;
    let start = row * p.width;
    let sample = (row / p.tokens) * p.width;
    let mean = saved[2u * row];
    let inverse = saved[2u * row + 1u];
    var sum = 0.0;
    var product = 0.0;
    for (var i = lane; i < p.width; i += ${LANES}u) {
      let g = dout[start + i] * (1.0 + scale[sample + i]);
      sum += g;
      product = fma(g, (x[start + i] - mean) * inverse, product);
    }
    let mean_sum = row_sum(lane, sum) / f32(p.width);
    let mean_product = row_sum(lane, product) / f32(p.width);
    for (var i = lane; i < p.width; i += ${LANES}u) {
      let g = dout[start + i] * (1.0 + scale[sample + i]);
      let normalized = (x[start + i] - mean) * inverse;
      dx[start + i] ${into(dx)} inverse * (g - mean_sum - normalized * mean_product);
    }
    return;
  }
  let block = group - p.rows;
  if (block >= p.column_groups) { return; }
  let sample = block / p.blocks;
  let column = (block % p.blocks) * ${COLUMNS}u + lane % ${COLUMNS}u;
  let first = lane / ${COLUMNS}u;
  var shift_sum = 0.0;
  var scale_sum = 0.0;
  if (column < p.width) {
    for (var token = first; token < p.tokens; token += ${rowLanes}u) {
      let row = sample * p.tokens + token;
      let at = row * p.width + column;
      shift_sum += dout[at];
      scale_sum = fma(dout[at], (x[at] - saved[2u * row]) * saved[2u * row + 1u], scale_sum);
    }
  }
  shifts[lane] = shift_sum;
  scales[lane] = scale_sum;
  workgroupBarrier();
  if (first == 0u && column < p.width) {
    for (var i = 1u; i < ${rowLanes}u; i++) {
      shift_sum += shifts[lane + i * ${COLUMNS}u];
      scale_sum += scales[lane + i * ${COLUMNS}u];
    }
    dshift[sample * p.width + column] ${into(dshift)} shift_sum;
    dscale[sample * p.width + column] ${into(dscale)} scale_sum;
  }`,
  }
}
