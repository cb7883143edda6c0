import { expect, test } from 'vitest'
import { fusedReference } from '../fused-reference.js'
import { isCaught, floats, mapOutput, mutant, type Mutation, view } from './mutant.js'

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
    what: 'swiglu that exchanges its halves',
    filter: /^swiglu/,
    mutate: () => ({
      swiglu(x, out) {
        const [rows, width] = x.shape
        const half = width / 2
        mapOutput(out, (_, i) => {
          const at = Math.floor(i / half) * width + (i % half)
          const [b, a] = [floats(x)[at], floats(x)[at + half]]
          return rows > 0 ? (a / (1 + Math.exp(-a))) * b : 0
        })
      },
    }),
  },
  {
    what: 'rmsNormModulate that forgets the 1 of the scale',
    filter: /^rmsNorm/,
    mutate: (k) => ({
      rmsNormModulateBackward(x, weight, scale, eps, saved, dout, outputs) {
        const less = scale && { ...view(scale), buffer: floats(scale).map((value) => value - 1).buffer, byteOffset: 0 }
        k.rmsNormModulateBackward!(x, weight, less, eps, saved, dout, outputs)
      },
    }),
  },
  {
    what: 'rmsNormModulate whose weight gradient takes the last sample alone',
    filter: /^rmsNorm: \[2, 3, 5\]/,
    mutate: (k) => ({
      rmsNormModulateBackward(x, weight, scale, eps, saved, dout, outputs) {
        const alone = floats(dout).slice()
        k.rmsNormModulateBackward!(x, weight, scale, eps, saved, dout, outputs)
        const first = alone.length / x.shape[0]
        const rest = { ...view(dout), buffer: alone.fill(0, 0, first).buffer, byteOffset: 0 }
        const room = { ...view(outputs.dx), buffer: new Float64Array(alone.length).buffer, byteOffset: 0 }
        k.rmsNormModulateBackward!(x, weight, scale, eps, saved, rest, {
          dx: room,
          dweight: outputs.dweight,
          dshift: null,
          dscale: null,
        })
      },
    }),
  },
  {
    what: 'qkNormRope that turns the other way',
    filter: /^qkNormRope/,
    mutate: (k) => ({
      qkNormRope(qkv, numHeads, norm, rotation, out, keep) {
        const back = rotation && {
          cos: rotation.cos,
          sin: { ...view(rotation.sin), buffer: floats(rotation.sin).map((value) => -value).buffer, byteOffset: 0 },
        }
        return k.qkNormRope!(qkv, numHeads, norm, back, out, keep)
      },
    }),
  },
  {
    what: 'qkNormRope whose gradient exchanges queries and keys',
    filter: /^qkNormRope/,
    mutate: (k) => ({
      qkNormRopeBackward: (qkv, numHeads, norm, rotation, saved, dout, { dqkv, dq, dk }) =>
        k.qkNormRopeBackward!(qkv, numHeads, norm, rotation, saved, dout, { dqkv, dq: dk, dk: dq }),
    }),
  },
  {
    what: 'qkNormRope that touches the values',
    filter: /^qkNormRope/,
    mutate: (k) => ({
      qkNormRope(qkv, numHeads, norm, rotation, out, keep) {
        const saved = k.qkNormRope!(qkv, numHeads, norm, rotation, out, keep)
        const width = out.shape[2]
        mapOutput(out, (value, i) => (i % width >= (2 * width) / 3 ? value * 1.01 : value))
        return saved
      },
    }),
  },
  {
    what: 'crossAttention that looks behind the lengths',
    filter: /^crossAttention/,
    mutate: (k) => ({
      crossAttention: (q, keys, v, _, numHeads, out, keep) => k.crossAttention!(q, keys, v, null, numHeads, out, keep),
    }),
  },
  {
    what: 'crossAttention whose gradient leaves what does not count unwritten',
    filter: /^crossAttention/,
    mutate: (k) => ({
      crossAttentionBackward(q, keys, v, lengths, numHeads, out, saved, dout, outputs) {
        k.crossAttentionBackward!(q, keys, v, lengths, numHeads, out, saved, dout, outputs)
        if (lengths !== null) mapOutput(outputs.dk, (value) => (value === 0 ? 1e6 : value))
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
