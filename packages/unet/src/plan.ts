import { checkUNet, sidesOf, type UNetConfig } from './config.js'

/** A layer with parameters; `name` is where they lie in a state dict. */
export type Layer =
  | { readonly kind: 'convolution'; readonly name: string; readonly from: number; readonly to: number }
  | { readonly kind: 'residual'; readonly name: string; readonly from: number; readonly to: number }
  | { readonly kind: 'attention'; readonly name: string; readonly channels: number }
  | { readonly kind: 'halve'; readonly name: string; readonly channels: number }
  | { readonly kind: 'double'; readonly name: string; readonly channels: number }

/** Layers one after the other, on pictures that begin with so many pixels. */
export interface Stage {
  readonly layers: readonly Layer[]
  readonly height: number
  readonly width: number
}

/** The whole network, from which its parameters, its forward pass and its costs follow. */
export interface UNetPlan {
  /** On the way down: what each stage gives is kept. */
  readonly down: readonly Stage[]
  readonly middle: Stage
  /** On the way up: each stage begins with what was kept last beside its input. */
  readonly up: readonly Stage[]
  /** Channels of the last stage, and of the result. */
  readonly last: { readonly from: number; readonly to: number }
  /** Width of the conditioning vector. */
  readonly embedding: number
}

/**
 * The stages of a U-Net under the names of guided-diffusion's state dicts.
 *
 * @throws RangeError for a configuration that cannot be
 *
 * Ho et al. 2020, appendix B; Nichol & Dhariwal 2021, appendix A; Dhariwal & Nichol 2021, section 3.
 */
export function planUNet(config: UNetConfig): UNetPlan {
  checkUNet(config)
  const { channels, channelMultipliers, blocksPerLevel, attentionLevels, inChannels, learnSigma } = config
  const [fullHeight, fullWidth] = sidesOf(config)
  const levels = channelMultipliers.length
  const at = (level: number) => ({ height: fullHeight / 2 ** level, width: fullWidth / 2 ** level })
  const attentionOf = (level: number, name: string, width: number): Layer[] =>
    attentionLevels.includes(level) ? [{ kind: 'attention', name, channels: width }] : []

  const down: Stage[] = []
  const kept: number[] = []
  let current = channels
  const addDown = (level: number, layers: (prefix: string) => Layer[]) => {
    down.push({ layers: layers(`input_blocks.${down.length}`), ...at(level) })
    kept.push(current)
  }
  addDown(0, (prefix) => [{ kind: 'convolution', name: `${prefix}.0`, from: inChannels, to: channels }])
  for (const [level, multiplier] of channelMultipliers.entries()) {
    for (let i = 0; i < blocksPerLevel; i++) {
      const from = current
      current = channels * multiplier
      addDown(level, (prefix) => [
        { kind: 'residual', name: `${prefix}.0`, from, to: current },
        ...attentionOf(level, `${prefix}.1`, current),
      ])
    }
    if (level < levels - 1) addDown(level, (prefix) => [{ kind: 'halve', name: `${prefix}.0.op`, channels: current }])
  }

  const middle: Stage = {
    layers: [
      { kind: 'residual', name: 'middle_block.0', from: current, to: current },
      { kind: 'attention', name: 'middle_block.1', channels: current },
      { kind: 'residual', name: 'middle_block.2', from: current, to: current },
    ],
    ...at(levels - 1),
  }

  const up: Stage[] = []
  for (let level = levels - 1; level >= 0; level--) {
    for (let i = 0; i <= blocksPerLevel; i++) {
      const prefix = `output_blocks.${up.length}`
      const from = current + kept.pop()!
      current = channels * channelMultipliers[level]
      const layers: Layer[] = [
        { kind: 'residual', name: `${prefix}.0`, from, to: current },
        ...attentionOf(level, `${prefix}.1`, current),
      ]
      const isLast = i === blocksPerLevel && level > 0
      const end: Layer[] = isLast
        ? [{ kind: 'double', name: `${prefix}.${layers.length}.conv`, channels: current }]
        : []
      up.push({ layers: [...layers, ...end], ...at(level) })
    }
  }
  return {
    down,
    middle,
    up,
    last: { from: current, to: inChannels * (learnSigma ? 2 : 1) },
    embedding: 4 * channels,
  }
}
