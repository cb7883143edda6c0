import type { ImageKernels } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { precise } from '../wgsl/functions.js'
import { rowReduction } from '../wgsl/row-reduction.js'
import { saving, viewOf } from './saved.js'

const LANES = 256

/** A workgroup for each group of channels of a sample; it saves [mean, 1 / deviation]. */
export function groupNormKernels(runtime: Runtime): Pick<ImageKernels, 'groupNorm' | 'groupNormBackward'> {
  const reduction = rowReduction(LANES, runtime.capabilities)
  return {
    groupNorm(x, weight, bias, { numGroups, epsilon, activation }, out, keep) {
      const [B, C, H, W] = x.shape
      const rows = B * numGroups
      const saved = saving(runtime, 2 * rows, keep)
      const kernel = runtime.kernel(`groupNorm/${activation}/${keep}`, () => ({
        label: 'groupNorm',
        storage: [reads('x'), reads('weight'), reads('bias'), writes('out'), ...(keep ? [writes('saved')] : [])],
        params: [...SIZES, ['epsilon', 'f32']],
        workgroupSize: [LANES, 1, 1],
        useSubgroups: reduction.useSubgroups,
        declarations: `${precise('f32')}${reduction.declarations}`,
        body: `  let row = wg.x + wg.y * groups.x;
  if (row >= p.rows) { return; }
  let size = p.channels * p.pixels;
  let start = row * size;
  let first_channel = (row % p.num_groups) * p.channels;
  var sum = 0.0;
  for (var i = lane; i < size; i += ${LANES}u) { sum += x[start + i]; }
  let mean = row_sum(lane, sum) / f32(size);
  var squares = 0.0;
  for (var i = lane; i < size; i += ${LANES}u) { let d = x[start + i] - mean; squares = fma(d, d, squares); }
  let inverse = 1.0 / sqrt(row_sum(lane, squares) / f32(size) + p.epsilon);
  for (var i = lane; i < size; i += ${LANES}u) {
    let channel = first_channel + i / p.pixels;
    let value = fma((x[start + i] - mean) * inverse, weight[channel], bias[channel]);
    out[start + i] = ${activation === 'silu' ? 'silu_of(value)' : 'value'};
  }
${keep ? '  if (lane == 0u) { saved[2u * row] = mean; saved[2u * row + 1u] = inverse; }' : ''}`,
      }))
      const outputs = saved === null ? [out] : [out, saved.view]
      const params = [rows, numGroups, C / numGroups, H * W, epsilon]
      runtime.run(kernel, [x, weight, bias], outputs, params, spread(rows))
      return saved
    },
    groupNormBackward(x, weight, bias, { numGroups, activation }, saved, dout, { dx, dweight, dbias }) {
      const [B, C, H, W] = x.shape
      const rows = B * numGroups
      const statistics = viewOf(saved!)
      const inputs = [x, weight, bias, statistics, dout]
      const storage = [reads('x'), reads('weight'), reads('bias'), reads('saved'), reads('dout')]
      // Gradient of what the activation was applied to.
      const inner =
        activation === 'silu' ? 'dout[at] * silu_slope(fma(normalized, weight[channel], bias[channel]))' : 'dout[at]'
      if (dx !== null) {
        const kernel = runtime.kernel(`groupNormBackward/${activation}`, () => ({
          label: 'gradient of x in groupNorm',
          storage: [...storage, writes('dx')],
          params: SIZES,
          workgroupSize: [LANES, 1, 1],
          useSubgroups: reduction.useSubgroups,
          declarations: `${precise('f32')}${reduction.declarations}`,
          body: `  let row = wg.x + wg.y * groups.x;
  if (row >= p.rows) { return; }
  let size = p.channels * p.pixels;
  let first_channel = (row % p.num_groups) * p.channels;
  let mean = saved[2u * row];
  let inverse = saved[2u * row + 1u];
  var sum = 0.0;
  var product = 0.0;
  for (var i = lane; i < size; i += ${LANES}u) {
    let at = row * size + i;
    let channel = first_channel + i / p.pixels;
    let normalized = (x[at] - mean) * inverse;
    let g = (${inner}) * weight[channel];
    sum += g;
    product = fma(g, normalized, product);
  }
  let mean_sum = row_sum(lane, sum) / f32(size);
  let mean_product = row_sum(lane, product) / f32(size);
  for (var i = lane; i < size; i += ${LANES}u) {
    let at = row * size + i;
    let channel = first_channel + i / p.pixels;
    let normalized = (x[at] - mean) * inverse;
    let g = (${inner}) * weight[channel];
    dx[at] = inverse * (g - mean_sum - normalized * mean_product);
  }`,
        }))
        runtime.run(kernel, inputs, [dx], [rows, numGroups, C / numGroups, H * W], spread(rows))
      }
      if (dweight === null && dbias === null) return
      const outputs = [
        ...(dweight === null ? [] : [{ name: 'dweight', view: dweight }]),
        ...(dbias === null ? [] : [{ name: 'dbias', view: dbias }]),
      ]
      const names = outputs.map(({ name }) => name)
      // A workgroup for each channel, over all samples.
      const kernel = runtime.kernel(`groupNormParameters/${activation}/${names.join()}`, () => ({
        label: 'gradient of weight and bias in groupNorm',
        storage: [...storage, ...names.map((name) => writes(name))],
        params: [...SIZES, ['samples', 'u32']],
        workgroupSize: [LANES, 1, 1],
        useSubgroups: reduction.useSubgroups,
        declarations: `${precise('f32')}${reduction.declarations}`,
        body: `  let channel = wg.x + wg.y * groups.x;
  let all_channels = p.num_groups * p.channels;
  if (channel >= all_channels) { return; }
  var weight_sum = 0.0;
  var bias_sum = 0.0;
  for (var i = lane; i < p.samples * p.pixels; i += ${LANES}u) {
    let sample = i / p.pixels;
    let row = sample * p.num_groups + channel / p.channels;
    let at = (sample * all_channels + channel) * p.pixels + i % p.pixels;
    let normalized = (x[at] - saved[2u * row]) * saved[2u * row + 1u];
    let g = ${inner};
    bias_sum += g;
    weight_sum = fma(g, normalized, weight_sum);
  }
  let weight_total = row_sum(lane, weight_sum);
  let bias_total = row_sum(lane, bias_sum);
  if (lane == 0u) {
${dweight === null ? '' : '    dweight[channel] = weight_total;'}
${dbias === null ? '' : '    dbias[channel] = bias_total;'}
  }`,
      }))
      const params = [rows, numGroups, C / numGroups, H * W, B]
      runtime.run(
        kernel,
        inputs,
        outputs.map(({ view }) => view),
        params,
        spread(C),
      )
    },
  }
}

const SIZES = (['rows', 'num_groups', 'channels', 'pixels'] as const).map((name) => [name, 'u32'] as const)
