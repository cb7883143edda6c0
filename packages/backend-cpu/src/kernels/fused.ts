import { type FusedKernels, sizeOf, type View } from '@dit/tensor'
import type { Engine } from '../engine.js'
import { addressOf, type Memory } from '../memory.js'
import { activationNumber } from './activations.js'
import { savingIn, startOf } from './saved.js'

const FLOAT_BYTES = 4

export function fusedKernels({ call }: Engine, memory: Memory): FusedKernels {
  const saving = savingIn(memory)
  return {
    linear(x, weight, bias, activation, out, keep) {
      const [O, K] = weight.shape
      const [rows] = x.shape
      const saved = saving(rows * O, keep && activation !== 'none')
      const addresses = [x, weight, bias, out].map(addressOf)
      call('linear', ...addresses, startOf(saved), rows, K, O, activationNumber(activation))
      return saved
    },
    linearBackward(x, weight, activation, saved, dout, { dx, dweight, dbias }) {
      const [O, K] = weight.shape
      const [rows] = x.shape
      // Gradient before the activation, for the time of this kernel.
      const dpre = activation === 'none' ? null : memory.allocate(rows * O * FLOAT_BYTES)
      const inputs = [addressOf(x), addressOf(weight), startOf(saved), addressOf(dout)]
      const outputs = [dpre === null ? addressOf(dout) : dpre.address, ...[dx, dweight, dbias].map(addressOf)]
      call('linear_backward', ...inputs, ...outputs, rows, K, O)
      if (dpre !== null) memory.free(dpre)
    },
    layerNormModulate(x, shift, scale, epsilon, out, keep) {
      const [B, N, D] = x.shape
      const saved = saving(2 * B * N, keep)
      call('layer_norm_modulate', ...[x, shift, scale, out].map(addressOf), startOf(saved), B, N, D, epsilon)
      return saved
    },
    layerNormModulateBackward(x, scale, _epsilon, saved, dout, { dx, dshift, dscale }) {
      const outputs = [dx, dshift, dscale].map(addressOf)
      const [B, N, D] = x.shape
      const inputs = [addressOf(x), addressOf(scale), startOf(saved), addressOf(dout)]
      call('layer_norm_modulate_backward', ...inputs, ...outputs, B, N, D)
    },
    attention(qkv, numHeads, out, keep) {
      const [B, N, D] = out.shape
      const saved = saving(2 * B * numHeads * N, keep)
      call('attention', addressOf(qkv), addressOf(out), startOf(saved), B, N, numHeads, D)
      return saved
    },
    attentionBackward(qkv, numHeads, out, saved, dout, dqkv) {
      const [B, N, D] = out.shape
      const addresses = [addressOf(qkv), addressOf(out), startOf(saved), addressOf(dout), addressOf(dqkv)]
      call('attention_backward', ...addresses, B, N, numHeads, D)
    },
    gatedResidual(x, gate, h, out) {
      call('gated_residual', ...[x, gate, h, out].map(addressOf), ...extents(x))
    },
    gatedResidualBackward(gate, h, dout, { dgate, dh }) {
      call('gated_residual_backward', ...[gate, h, dout, dgate, dh].map(addressOf), ...extents(h))
    },
    adamw(parameter, gradient, m, v, ema, step) {
      const { learningRate, beta1, beta2, emaDecay } = step
      call(
        'adamw',
        ...[parameter, gradient, m, v, ema].map(addressOf),
        sizeOf(parameter.shape),
        step.gradientScale,
        1 - learningRate * step.weightDecay,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        1 / Math.sqrt(1 - beta2 ** step.step),
        step.epsilon,
        learningRate / (1 - beta1 ** step.step),
        emaDecay,
        1 - emaDecay,
      )
    },
    randomNormal({ seed, stream }, start, out) {
      call('random_normal', seed, ...stream, start, addressOf(out), sizeOf(out.shape))
    },
  }
}

/** B, N, D */
function extents({ shape }: View): readonly number[] {
  return shape
}
