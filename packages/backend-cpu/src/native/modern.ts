import { type ModernKernels, sizeOf } from '@dit/tensor'
import type { Engine } from '../engine.js'
import { addressOf, type CpuBuffer, type Memory } from '../memory.js'
import { savingIn, startOf } from '../kernels/saved.js'

const FLOAT_BYTES = 4
/** Rows that a unit of `qk_norm_rope_backward` has. */
const ROWS = 16

export function modernKernels({ call }: Engine, memory: Memory): ModernKernels {
  const saving = savingIn(memory)
  /** Room for `count` floats while `run` runs. */
  function withRoom(count: number, run: (address: number) => void): void {
    const buffer: CpuBuffer = memory.allocate(count * FLOAT_BYTES)
    run(buffer.address)
    memory.free(buffer)
  }

  return {
    swiglu(x, out) {
      call('swiglu', addressOf(x), addressOf(out), ...extents(out))
    },
    swigluBackward(x, dout, dx) {
      call('swiglu_backward', ...[x, dout, dx].map(addressOf), ...extents(dout))
    },
    rmsNormModulate(x, weight, shift, scale, epsilon, out, keep) {
      const [B, N, D] = x.shape
      const saved = saving(B * N, keep)
      call('rms_norm_modulate', ...[x, weight, shift, scale, out].map(addressOf), startOf(saved), B, N, D, epsilon)
      return saved
    },
    rmsNormModulateBackward(x, weight, scale, _epsilon, saved, dout, { dx, dweight, dshift, dscale }) {
      const [B, N, D] = x.shape
      const inputs = [...[x, weight, scale].map(addressOf), startOf(saved), addressOf(dout)]
      const outputs = [dx, dweight, dshift, dscale].map(addressOf)
      withRoom(B * D, (products) => call('rms_norm_modulate_backward', ...inputs, ...outputs, products, B, N, D))
    },
    qkNormRope(qkv, numHeads, norm, rotation, out, keep) {
      const [B, N, width] = qkv.shape
      const saved = saving(B * N * 2 * numHeads, keep && norm !== null)
      const tables = [norm?.q, norm?.k, rotation?.cos, rotation?.sin].map((view) => addressOf(view ?? null))
      const sizes = [B, N, numHeads, width / 3, norm?.epsilon ?? 0]
      call('qk_norm_rope', addressOf(qkv), ...tables, addressOf(out), startOf(saved), ...sizes)
      return saved
    },
    qkNormRopeBackward(qkv, numHeads, norm, rotation, saved, dout, { dqkv, dq, dk }) {
      const [B, N, width] = dout.shape
      const tables = [norm?.q, norm?.k, rotation?.cos, rotation?.sin].map((view) => addressOf(view ?? null))
      const count = norm === null ? 0 : Math.ceil((B * N) / ROWS) * 2 * sizeOf(norm.q.shape)
      withRoom(count, (parts) =>
        call(
          'qk_norm_rope_backward',
          addressOf(qkv),
          ...tables,
          startOf(saved),
          ...[dout, dqkv, dq, dk].map(addressOf),
          parts,
          B,
          N,
          numHeads,
          width / 3,
        ),
      )
    },
    crossAttention(q, k, v, lengths, numHeads, out, keep) {
      const [B, N, D] = out.shape
      const saved = saving(2 * B * numHeads * N, keep)
      const sizes = [B, N, k.shape[1], numHeads, D]
      call('cross_attention', ...[q, k, v, lengths, out].map(addressOf), startOf(saved), ...sizes)
      return saved
    },
    crossAttentionBackward(q, k, v, lengths, numHeads, out, saved, dout, { dq, dk, dv }) {
      const [B, N, D] = out.shape
      const inputs = [...[q, k, v, lengths, out].map(addressOf), startOf(saved), addressOf(dout)]
      const outputs = [dq, dk, dv].map(addressOf)
      call('cross_attention_backward', ...inputs, ...outputs, B, N, k.shape[1], numHeads, D)
    },
  }
}

/** Rows and width. */
function extents({ shape }: { readonly shape: readonly number[] }): readonly number[] {
  return shape
}
