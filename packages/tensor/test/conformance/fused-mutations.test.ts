import { expect, test } from 'vitest'
import { fusedReference } from '../fused-reference.js'
import { isCaught, floats, mapOutput, mutant, type Mutation } from './mutant.js'

const mutations: Mutation[] = [
  {
    what: 'linear that forgets the bias without an activation',
    filter: /^linear: \[3, 5\]/,
    mutate: (k) => ({
      linear: (x, w, bias, activation, out, keep) =>
        k.linear!(x, w, activation === 'none' ? null : bias, activation, out, keep),
    }),
  },
  {
    what: 'a linear gradient that skips the activation',
    filter: /^linear: \[3, 5\]/,
    mutate: (k) => ({
      linearBackward: (x, w, _, saved, dout, outputs) => k.linearBackward!(x, w, 'none', saved, dout, outputs),
    }),
  },
  {
    what: 'layerNormModulate with an epsilon of its own',
    filter: /^norm: layerNormModulate/,
    mutate: (k) => ({
      layerNormModulate: (x, shift, scale, _, out, keep) => k.layerNormModulate!(x, shift, scale, 1e-5, out, keep),
    }),
  },
  {
    what: 'layerNormModulate that exchanges shift and scale',
    filter: /^norm: layerNormModulate/,
    mutate: (k) => ({
      layerNormModulateBackward: (x, scale, eps, saved, dout, { dx, dshift, dscale }) =>
        k.layerNormModulateBackward!(x, scale, eps, saved, dout, { dx, dshift: dscale, dscale: dshift }),
    }),
  },
  {
    what: 'attention that splits heads the other way',
    filter: /^attention/,
    mutate: (k) => ({
      attention: (qkv, numHeads, out, keep) => k.attention!(qkv, out.shape[2] / numHeads, out, keep),
    }),
  },
  {
    what: 'attention that loses its last token past 64',
    filter: /^attention.* 65 tokens/,
    mutate: (k) => ({
      attention(qkv, numHeads, out, keep) {
        const saved = k.attention!(qkv, numHeads, out, keep)
        if (out.shape[1] > 64)
          floats(out)
            .subarray(64 * out.shape[2], 65 * out.shape[2])
            .fill(0)
        return saved
      },
    }),
  },
  {
    what: 'gatedResidual whose gate gradient takes the last sample alone',
    filter: /^residual/,
    mutate: (k) => ({
      gatedResidualBackward(gate, h, dout, { dgate, dh }) {
        k.gatedResidualBackward!(gate, h, dout, { dgate, dh })
        if (gate.shape[0] > 1) floats(dgate).subarray(0, gate.shape[1]).fill(0)
      },
    }),
  },
  {
    what: 'conv2d that forgets the bias',
    filter: /^conv2d: \[2, 3, 5, 7\]/,
    mutate: (k) => ({ conv2d: (x, w, _, window, out) => k.conv2d!(x, w, null, window, out) }),
  },
  {
    what: 'conv2d that exchanges the padding above and on the left',
    filter: /^conv2d/,
    mutate: (k) => ({
      conv2d: (x, w, b, { stride, top, left }, out) => k.conv2d!(x, w, b, { stride, top: left, left: top }, out),
    }),
  },
  {
    what: 'conv2d whose gradient ignores the stride',
    filter: /^conv2d: .*stride 2/,
    mutate: (k) => ({
      conv2dBackward: (x, w, window, dout, outputs) => k.conv2dBackward!(x, w, { ...window, stride: 1 }, dout, outputs),
    }),
  },
  {
    what: 'conv2d whose weight gradient adds to what is there',
    filter: /^conv2d: \[2, 3, 5, 7\]/,
    mutate: (k) => ({
      conv2dBackward(x, w, window, dout, outputs) {
        const before = outputs.dweight && floats(outputs.dweight).slice()
        k.conv2dBackward!(x, w, window, dout, outputs)
        if (before !== null) mapOutput(outputs.dweight!, (value, i) => value + before[i])
      },
    }),
  },
  {
    what: 'groupNorm with an epsilon of its own',
    filter: /^groupNorm/,
    mutate: (k) => ({
      groupNorm: (x, w, b, norm, out, keep) => k.groupNorm!(x, w, b, { ...norm, epsilon: 1e-5 }, out, keep),
    }),
  },
  {
    what: 'groupNorm that never applies silu',
    filter: /^groupNorm: \[2, 6/,
    mutate: (k) => ({
      groupNorm: (x, w, b, norm, out, keep) => k.groupNorm!(x, w, b, { ...norm, activation: 'none' }, out, keep),
    }),
  },
  {
    what: 'a groupNorm gradient that skips silu',
    filter: /^groupNorm: \[2, 6/,
    mutate: (k) => ({
      groupNormBackward: (x, w, b, norm, saved, dout, outputs) =>
        k.groupNormBackward!(x, w, b, { ...norm, activation: 'none' }, saved, dout, outputs),
    }),
  },
  {
    what: 'upsample2x that averages its gradient',
    filter: /^upsample2x/,
    mutate: (k) => ({
      upsample2xBackward(dout, dx) {
        k.upsample2xBackward!(dout, dx)
        mapOutput(dx, (value) => value / 4)
      },
    }),
  },
  {
    what: 'adamw that adds weight decay to the gradient',
    filter: /^optimizer/,
    mutate: (k) => ({
      adamw(parameter, gradient, m, v, ema, step) {
        k.accumulate(gradient, parameter, step.weightDecay)
        k.adamw!(parameter, gradient, m, v, ema, { ...step, weightDecay: 0 })
      },
    }),
  },
  {
    what: 'adamw that never corrects the bias',
    filter: /^optimizer/,
    mutate: (k) => ({ adamw: (p, g, m, v, ema, step) => k.adamw!(p, g, m, v, ema, { ...step, step: 1e9 }) }),
  },
  {
    what: 'adamw that averages before the update',
    filter: /^optimizer/,
    mutate: (k) => ({
      adamw(p, g, m, v, ema, step) {
        if (ema !== null) {
          k.affine(ema, step.emaDecay, 0, ema)
          k.accumulate(ema, p, 1 - step.emaDecay)
        }
        k.adamw!(p, g, m, v, null, step)
      },
    }),
  },
  {
    what: 'normals of another stream',
    filter: /^random/,
    mutate: (k) => ({ randomNormal: (stream, start, out) => k.randomNormal!(stream, start + 1, out) }),
  },
  {
    what: 'a saved that is never disposed of',
    filter: /^memory/,
    mutate: (k) => ({
      attention(qkv, numHeads, out, keep) {
        const saved = k.attention!(qkv, numHeads, out, keep)
        return saved && { ...saved, dispose: () => undefined }
      },
    }),
  },
]

test.each(mutations)('the suite catches $what', async ({ mutate, filter }) => {
  expect(await isCaught(mutant(mutate, fusedReference()), filter)).toBe(true)
})
