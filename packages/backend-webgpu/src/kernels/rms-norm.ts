import type { ModernKernels, View } from '@dit/tensor'
import type { Target } from '../runtime/deferred.js'
import { type KernelSource, reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { rowReduction } from '../wgsl/row-reduction.js'
import { plain, saving, viewOf } from './saved.js'

const LANES = 128
/** Of a workgroup that sums over tokens: neighbouring columns, each summed by LANES / COLUMNS invocations. */
const COLUMNS = 32

/** A workgroup for each token; it saves 1 / root mean square. */
export function rmsNormKernels(runtime: Runtime): Pick<ModernKernels, 'rmsNormModulate' | 'rmsNormModulateBackward'> {
  return {
    rmsNormModulate(x, weight, shift, scale, epsilon, out, keep) {
      const [B, N, D] = x.shape
      const saved = saving(runtime, B * N, keep)
      const has = { shift: shift !== null, scale: scale !== null }
      const kernel = runtime.kernel(`rmsNorm/${has.shift}/${has.scale}/${keep}`, () => ({
        label: 'rmsNormModulate',
        storage: [
          reads('x'),
          reads('weight'),
          ...(has.shift ? [reads('shift')] : []),
          ...(has.scale ? [reads('scale')] : []),
          writes('out'),
          ...(keep ? [writes('saved')] : []),
        ],
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
  var squares = 0.0;
  for (var i = lane; i < p.width; i += ${LANES}u) { squares = fma(x[start + i], x[start + i], squares); }
  let inverse = 1.0 / sqrt(row_sum(lane, squares) / f32(p.width) + p.epsilon);
  for (var i = lane; i < p.width; i += ${LANES}u) {
    out[start + i] = x[start + i] * inverse * ${gain(has.scale)}${has.shift ? ' + shift[sample + i]' : ''};
  }
${keep ? '  if (lane == 0u) { saved[row] = inverse; }' : ''}`,
      }))
      const inputs = [x, weight, shift, scale].filter((view) => view !== null)
      const outputs = saved === null ? [out] : [out, saved.view]
      runtime.run(kernel, inputs, outputs, [B * N, N, D, epsilon], spread(B * N))
      return saved
    },
    rmsNormModulateBackward(givenX, givenWeight, givenScale, _epsilon, saved, givenDout, outputs) {
      const [x, weight, dout] = [givenX, givenWeight, givenDout].map(plain)
      const scale = givenScale && plain(givenScale)
      const [B, N, D] = x.shape
      const statistics = viewOf(saved!)
      const names = (['dx', 'dweight', 'dshift', 'dscale'] as const).filter((name) => outputs[name] !== null)
      const views = names.map((name) => plain(outputs[name]!))
      runtime.deferred.defer({
        inputs: [x, weight, ...(scale === null ? [] : [scale]), statistics, dout],
        outputs: views,
        canAccumulate: true,
        canGate: false,
        run(given) {
          const targets = new Map(names.map((name, i) => [name, given[i] ?? { view: views[i], accumulates: false }]))
          const products = runtime.temporary(B * D)
          const shift = targets.get('dshift')
          const kinds = {
            hasScale: scale !== null,
            dx: targets.get('dx')!.accumulates,
            dshift: shift?.accumulates ?? null,
          }
          const key = Object.values(kinds).map(String).join('/')
          const { useSubgroups } = runtime.capabilities
          const kernel = runtime.kernel(`rmsNormBackward/${key}`, () => backwardSource(kinds, useSubgroups))
          const blocks = Math.ceil(D / COLUMNS)
          const inputs = [x, weight, ...(scale === null ? [] : [scale]), statistics, dout]
          const written = [targets.get('dx')!.view, ...(shift === undefined ? [] : [shift.view]), products]
          runtime.run(kernel, inputs, written, [B * N, N, D, blocks, B * blocks], spread(B * N + B * blocks))
          spreadProducts(products, targets.get('dweight')!, targets.get('dscale') ?? null)
          runtime.release(products)
        },
      })

      /** dweight = the sum over samples of products (1 + scale), and dscale = products weight */
      function spreadProducts(products: View, ofWeight: Target, ofScale: Target | null): void {
        const hasScale = scale !== null && ofScale !== null
        const into = (target: Target) => (target.accumulates ? '+=' : '=')
        const key = `${into(ofWeight)}/${ofScale === null ? 'none' : into(ofScale)}`
        const kernel = runtime.kernel(`rmsNormWeight/${key}`, () => ({
          label: 'gradient of the weight of rmsNormModulate',
          storage: [
            reads('products'),
            ...(hasScale ? [reads('scale'), reads('weight')] : []),
            writes('dweight'),
            ...(hasScale ? [writes('dscale')] : []),
          ],
          params: [
            ['samples', 'u32'],
            ['width', 'u32'],
          ],
          workgroupSize: [LANES, 1, 1],
          body: `  let column = (wg.x + wg.y * groups.x) * ${LANES}u + lane;
  if (column >= p.width) { return; }
  var sum = 0.0;
  for (var sample = 0u; sample < p.samples; sample++) {
    let at = sample * p.width + column;
    sum += products[at]${hasScale ? ' * (1.0 + scale[at])' : ''};
${hasScale ? `    dscale[at] ${into(ofScale)} products[at] * weight[column];` : ''}
  }
  dweight[column] ${into(ofWeight)} sum;`,
        }))
        const inputs = [products, ...(hasScale ? [scale, weight] : [])]
        const outputs = [ofWeight.view, ...(hasScale ? [ofScale.view] : [])]
        runtime.run(kernel, inputs, outputs, [B, D], spread(Math.ceil(D / LANES)))
      }
    },
  }
}

/** What column i of a sample is multiplied by. */
const gain = (hasScale: boolean) => (hasScale ? '(weight[i] * (1.0 + scale[sample + i]))' : 'weight[i]')

/** Whether an output is added to what is there, or null where it is not wanted. */
interface Kinds {
  readonly hasScale: boolean
  readonly dx: boolean
  readonly dshift: boolean | null
}

/** The first workgroups make dx, one a token; the others what is summed over tokens, one for some columns of a sample. */
function backwardSource({ hasScale, dx, dshift }: Kinds, useSubgroups: boolean): KernelSource {
  const reduction = rowReduction(LANES, { useSubgroups })
  const into = (isSum: boolean) => (isSum ? '+=' : '=')
  const rowLanes = LANES / COLUMNS
  return {
    label: 'gradient of rmsNormModulate',
    storage: [
      reads('x'),
      reads('weight'),
      ...(hasScale ? [reads('scale')] : []),
      reads('saved'),
      reads('dout'),
      writes('dx'),
      ...(dshift === null ? [] : [writes('dshift')]),
      writes('products'),
    ],
    params: (['rows', 'tokens', 'width', 'blocks', 'column_groups'] as const).map((name) => [name, 'u32'] as const),
    workgroupSize: [LANES, 1, 1],
    useSubgroups,
    declarations: `${reduction.declarations}
var<workgroup> shifts: array<f32, ${LANES}>;
var<workgroup> sums: array<f32, ${LANES}>;`,
    body: `  let group = wg.x + wg.y * groups.x;
  if (group < p.rows) {
    let row = group;
    let start = row * p.width;
    let sample = (row / p.tokens) * p.width;
    let inverse = saved[row];
    var product = 0.0;
    for (var i = lane; i < p.width; i += ${LANES}u) {
      product = fma(dout[start + i] * ${gain(hasScale)}, x[start + i] * inverse, product);
    }
    let mean_product = row_sum(lane, product) / f32(p.width);
    for (var i = lane; i < p.width; i += ${LANES}u) {
      let g = dout[start + i] * ${gain(hasScale)};
      dx[start + i] ${into(dx)} inverse * (g - x[start + i] * inverse * mean_product);
    }
    return;
  }
  let block = group - p.rows;
  if (block >= p.column_groups) { return; }
  let sample = block / p.blocks;
  let column = (block % p.blocks) * ${COLUMNS}u + lane % ${COLUMNS}u;
  let first = lane / ${COLUMNS}u;
  var shift_sum = 0.0;
  var product_sum = 0.0;
  if (column < p.width) {
    for (var token = first; token < p.tokens; token += ${rowLanes}u) {
      let row = sample * p.tokens + token;
      let at = row * p.width + column;
      shift_sum += dout[at];
      product_sum = fma(dout[at], x[at] * saved[row], product_sum);
    }
  }
  shifts[lane] = shift_sum;
  sums[lane] = product_sum;
  workgroupBarrier();
  if (first == 0u && column < p.width) {
    for (var i = 1u; i < ${rowLanes}u; i++) {
      shift_sum += shifts[lane + i * ${COLUMNS}u];
      product_sum += sums[lane + i * ${COLUMNS}u];
    }
    let to = sample * p.width + column;
    products[to] = product_sum;
${dshift === null ? '' : `    dshift[to] ${into(dshift)} shift_sum;`}
  }`,
  }
}
