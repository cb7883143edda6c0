import type { FusedKernels, ModernKernels, View } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Capabilities, type Groups, type Runtime, spread } from '../runtime/runtime.js'
import { attentionBytes, attentionSource, keyGradientSource, queryGradientSource } from '../wgsl/attention.js'
import type { AttentionTile, AttentionVariant } from '../wgsl/attention-parts.js'
import { saving, viewOf } from './saved.js'

const TILES: readonly AttentionTile[] = [
  { own: 32, other: 32 },
  { own: 32, other: 16 },
  { own: 16, other: 16 },
  { own: 16, other: 8 },
  { own: 8, other: 8 },
]

type Attention = Pick<FusedKernels, 'attention' | 'attentionBackward'> &
  Pick<ModernKernels, 'crossAttention' | 'crossAttentionBackward'>

/** Rows of which a workgroup makes the statistics of cross-attention. */
const STATISTICS_LANES = 64

/** Memory grows with the number of tokens, not with its square: the backward pass makes the scores again. */
export function attentionKernels(runtime: Runtime): Attention {
  const { capabilities, name } = runtime
  return {
    attention(qkv, numHeads, out, keep) {
      const [B, N, D] = out.shape
      const variant = variantOf(D / numHeads, keep)
      const saved = saving(runtime, B * numHeads * N, keep)
      const kernel = runtime.kernel(`attention/${keyOf(variant)}/${keep}`, () => attentionSource(variant))
      const outputs = saved === null ? [out] : [out, saved.view]
      runtime.run(
        kernel,
        [qkv],
        outputs,
        [N, D, numHeads, (D / numHeads) ** -0.5, capabilities.gradientLift],
        groupsOf(variant, B, N, numHeads),
      )
      return saved
    },
    attentionBackward(qkv, numHeads, out, saved, dout, dqkv) {
      const [B, N, D] = out.shape
      const variant = variantOf(D / numHeads, true)
      const logSums = viewOf(saved!)
      const delta = runtime.temporary(B * numHeads * N)
      const [params, groups] = [
        [N, D, numHeads, (D / numHeads) ** -0.5, capabilities.gradientLift],
        groupsOf(variant, B, N, numHeads),
      ]
      const query = runtime.kernel(`attention dq/${keyOf(variant)}`, () => queryGradientSource(variant))
      runtime.run(query, [qkv, out, logSums, dout], [delta, dqkv], params, groups)
      const key = runtime.kernel(`attention dkv/${keyOf(variant)}`, () => keyGradientSource(variant))
      runtime.run(key, [qkv, logSums, delta, dout], [dqkv], params, groups)
      runtime.release(delta)
    },
    crossAttention(q, k, v, lengths, numHeads, out, keep) {
      const [B, N, D] = out.shape
      const variant = { ...variantOf(D / numHeads, keep), others: kindOf(lengths) }
      const saved = saving(runtime, B * numHeads * N, keep)
      const kernel = runtime.kernel(`cross-attention/${keyOf(variant)}/${variant.others}/${keep}`, () =>
        attentionSource(variant),
      )
      const inputs = [q, k, v, ...(lengths === null ? [] : [lengths])]
      const outputs = saved === null ? [out] : [out, saved.view]
      runtime.run(kernel, inputs, outputs, crossParams(out, k, numHeads), groupsOf(variant, B, N, numHeads))
      return saved
    },
    crossAttentionBackward(q, k, v, lengths, numHeads, out, saved, dout, { dq, dk, dv }) {
      const [B, N, D] = out.shape
      const variant = { ...variantOf(D / numHeads, true), others: kindOf(lengths) }
      const statistics = runtime.temporary(2 * B * numHeads * N + B)
      makeStatistics(viewOf(saved!), out, dout, lengths, numHeads, statistics)
      const params = crossParams(out, k, numHeads)
      const inputs = [q, k, v, statistics, dout]
      const key = `${keyOf(variant)}/${variant.others}`
      const query = runtime.kernel(`cross-attention dq/${key}`, () => queryGradientSource(variant))
      runtime.run(query, inputs, [dq], params, groupsOf(variant, B, N, numHeads))
      const others = runtime.kernel(`cross-attention dkv/${key}`, () => keyGradientSource(variant))
      runtime.run(others, inputs, [dk, dv], params, groupsOf(variant, B, k.shape[1], numHeads))
      runtime.release(statistics)
    },
  }

  function crossParams(out: View, k: View, numHeads: number): number[] {
    const [B, N, D] = out.shape
    return [N, D, numHeads, (D / numHeads) ** -0.5, capabilities.gradientLift, k.shape[1], B * numHeads * N]
  }

  /**
   * What both gradient kernels read of each row of scores, in one buffer, since a kernel may have eight: log-sum-exps, then
   * sum(dout * out), and at the end the lengths.
   */
  function makeStatistics(
    logSums: View,
    out: View,
    dout: View,
    lengths: View | null,
    numHeads: number,
    statistics: View,
  ): void {
    const [B, N, D] = out.shape
    const kernel = runtime.kernel(`cross-attention statistics/${lengths !== null}`, () => ({
      label: 'statistics of cross-attention',
      storage: [
        reads('log_sums'),
        reads('out'),
        reads('dout'),
        ...(lengths === null ? [] : [reads('lengths', 'i32')]),
        writes('statistics'),
      ],
      params: [
        ['rows', 'u32'],
        ['tokens', 'u32'],
        ['heads', 'u32'],
        ['width', 'u32'],
        ['samples', 'u32'],
      ],
      workgroupSize: [STATISTICS_LANES, 1, 1],
      body: `  let row = (wg.x + wg.y * groups.x) * ${STATISTICS_LANES}u + lane;
  if (row < p.rows) {
    let head = row / p.tokens % p.heads;
    let token = row / p.tokens / p.heads * p.tokens + row % p.tokens;
    let start = (token * p.heads + head) * p.width;
    var sum = 0.0;
    for (var i = 0u; i < p.width; i++) { sum = fma(dout[start + i], out[start + i], sum); }
    statistics[row] = log_sums[row];
    statistics[p.rows + row] = sum;
  }
${lengths === null ? '' : '  if (row < p.samples) { statistics[2u * p.rows + row] = f32(lengths[row]); }'}`,
    }))
    const rows = B * numHeads * N
    const inputs = [logSums, out, dout, ...(lengths === null ? [] : [lengths])]
    const groups = spread(Math.ceil(Math.max(rows, B) / STATISTICS_LANES))
    runtime.run(kernel, inputs, [statistics], [rows, N, numHeads, D / numHeads, B], groups)
  }

  function variantOf(headDim: number, keep: boolean): AttentionVariant {
    const { half, sharedBytes } = capabilities
    const tile = chooseAttentionTile(headDim, capabilities)
    if (tile === null) {
      const needed = attentionBytes(headDim, TILES.at(-1)!, half)
      throw new RangeError(
        `${name}: attention of head width ${headDim} needs ${needed} bytes of workgroup memory (this device has ${sharedBytes}); use more heads`,
      )
    }
    return { headDim, tile, half, keep }
  }
}

/** The largest tile that fits into the shared memory of a workgroup, or null where none does. */
export function chooseAttentionTile(
  headDim: number,
  { half, sharedBytes, useSmallTiles }: Pick<Capabilities, 'half' | 'sharedBytes' | 'useSmallTiles'>,
): AttentionTile | null {
  const tiles = useSmallTiles ? TILES.slice(-1) : TILES
  return tiles.find((tile) => attentionBytes(headDim, tile, half) <= sharedBytes) ?? null
}

const kindOf = (lengths: View | null) => (lengths === null ? ('all' as const) : ('some' as const))

const keyOf = ({ headDim, tile, half }: AttentionVariant) =>
  `${headDim}/${tile.own}x${tile.other}${half === 'none' ? '' : `/${half}`}`

function groupsOf({ tile }: AttentionVariant, B: number, N: number, numHeads: number): Groups {
  return [Math.ceil(N / tile.own), numHeads, B]
}
