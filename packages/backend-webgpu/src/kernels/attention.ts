import type { FusedKernels } from '@dit/tensor'
import type { Capabilities, Groups, Runtime } from '../runtime/runtime.js'
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

/** Memory grows with the number of tokens, not with its square: the backward pass makes the scores again. */
export function attentionKernels(runtime: Runtime): Pick<FusedKernels, 'attention' | 'attentionBackward'> {
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

const keyOf = ({ headDim, tile, half }: AttentionVariant) =>
  `${headDim}/${tile.own}x${tile.other}${half === 'none' ? '' : `/${half}`}`

function groupsOf({ tile }: AttentionVariant, B: number, N: number, numHeads: number): Groups {
  return [Math.ceil(N / tile.own), numHeads, B]
}
