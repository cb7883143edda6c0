import { linear, mean, type Params, scope, type Tensor } from '@dit/tensor'
import { applySteps } from './apply.js'
import type { Step } from './step.js'

/** A place in a network where features are taken. */
export interface Tap {
  readonly layer: string
  readonly width: number
  /** Maps `[B, C, H, W]` as features `[B, width]`. */
  read(maps: Tensor): Tensor
}

/** A run of steps, and what is taken after it. */
export interface Part {
  readonly steps: readonly Step[]
  readonly tap: Tap | null
}

/** A classifier of pictures: convolutions, the mean of the last maps, one linear layer. */
export interface Network {
  readonly parts: readonly Part[]
  /** Added to the variance in batch normalization. */
  readonly epsilon: number
  readonly head: Head
}

/** The linear layer over the last part's tap. */
export interface Head {
  /** Its name in files, without `.weight`. */
  readonly weight: string
  readonly numClasses: number
  readonly logits: string
  /** Layer of the logits without their bias; null where nobody asks for them. */
  readonly unbiased: string | null
}

/** Features that a network gives, in the order in which it reaches them. */
export function layersOf({ parts, head }: Network): { readonly name: string; readonly width: number }[] {
  const taps = parts.flatMap(({ tap }) => (tap === null ? [] : [{ name: tap.layer, width: tap.width }]))
  const logits = [...(head.unbiased === null ? [] : [head.unbiased]), head.logits]
  return [...taps, ...logits.map((name) => ({ name, width: head.numClasses }))]
}

/**
 * Features of pictures, as far as the network must go for them.
 *
 * @param x `[B, 3, H, W]`
 * @param layers of `layersOf`
 * @returns `[B, width]` for each layer
 */
export function runNetwork(
  { parts, head }: Network,
  params: Params,
  x: Tensor,
  layers: readonly string[],
): Record<string, Tensor> {
  const logits = layers.filter((layer) => layer === head.logits || layer === head.unbiased)
  const lastPart =
    logits.length > 0 ? parts.length - 1 : parts.findLastIndex(({ tap }) => tap !== null && layers.includes(tap.layer))
  return scope(() => {
    const features: Record<string, Tensor> = {}
    let maps = x
    for (const { steps, tap } of parts.slice(0, lastPart + 1)) {
      const next = applySteps(steps, params, maps)
      if (maps !== x) maps.dispose()
      maps = next
      if (tap !== null && layers.includes(tap.layer)) features[tap.layer] = scope(() => tap.read(maps))
    }
    if (logits.length > 0) {
      const pooled = spatialMean(maps)
      const { [`${head.weight}.weight`]: weight, [`${head.weight}.bias`]: bias } = params
      for (const layer of logits) features[layer] = linear(pooled, weight, layer === head.unbiased ? null : bias)
    }
    return features
  })
}

/** The mean of each map: `[B, C, H, W]` to `[B, C]`. */
export function spatialMean(maps: Tensor): Tensor {
  return mean(maps, [2, 3])
}

/** A tap of the means of maps. */
export function meanTap(layer: string, width: number): Tap {
  return { layer, width, read: spatialMean }
}
