import type { ConvActivation } from '@dit/tensor'
import { meanTap, type Network, type Part } from '../network/network.js'
import type { ConvStep, Step } from '../network/step.js'

/** A row of the network's table: blocks of one kind, of which only the first changes width and size. */
interface Stage {
  readonly repeats: number
  readonly window: number
  readonly stride: number
  /** How many times wider the middle of a block is than its input. */
  readonly expansion: number
  readonly channels: number
}

/** Tan & Le 2019, "EfficientNet", table 1. The Lite models leave out squeeze and excitation and use ReLU6. */
const STAGES: readonly Stage[] = [
  { repeats: 1, window: 3, stride: 1, expansion: 1, channels: 16 }, // block 0
  { repeats: 2, window: 3, stride: 2, expansion: 6, channels: 24 }, // 1, 2
  { repeats: 2, window: 5, stride: 2, expansion: 6, channels: 40 }, // 3, 4
  { repeats: 3, window: 3, stride: 2, expansion: 6, channels: 80 }, // 5 .. 7
  { repeats: 3, window: 5, stride: 1, expansion: 6, channels: 112 }, // 8 .. 10
  { repeats: 4, window: 5, stride: 2, expansion: 6, channels: 192 }, // 11 .. 14
  { repeats: 1, window: 3, stride: 1, expansion: 6, channels: 320 }, // 15
]

const STEM_CHANNELS = 32
const HEAD_CHANNELS = 1280

/** EfficientNet-Lite0 under the names of its PyTorch file, with the mean of each block's maps as a layer. */
export const EFFICIENT_NET_LITE0: Network = {
  parts: parts(),
  epsilon: 1e-3,
  head: { weight: '_fc', numClasses: 1000, logits: 'logits', unbiased: null },
}

function parts(): Part[] {
  const stem = conv('_conv_stem', '_bn0', STEM_CHANNELS, 3, { stride: 2 })
  const made: Part[] = [{ steps: [stem], tap: null }] // [B, 32, H / 2, W / 2]
  let inChannels = STEM_CHANNELS
  let block = 0
  for (const { repeats, stride, ...stage } of STAGES) {
    for (let i = 0; i < repeats; i++) {
      const steps = mobileBlock(`_blocks.${block}`, inChannels, { ...stage, stride: i === 0 ? stride : 1 })
      made.push({ steps, tap: meanTap(`block-${block}`, stage.channels) })
      inChannels = stage.channels
      block++
    }
  }
  made.push({ steps: [conv('_conv_head', '_bn1', HEAD_CHANNELS, 1)], tap: meanTap('pool', HEAD_CHANNELS) })
  return made
}

/** An inverted bottleneck: wider, one filter for each channel, narrower. Sandler et al. 2018, "MobileNetV2", figure 3. */
function mobileBlock(
  name: string,
  inChannels: number,
  { window, stride, expansion, channels }: Omit<Stage, 'repeats'>,
): Step[] {
  const inner = inChannels * expansion
  const steps = [
    ...(expansion === 1 ? [] : [conv(`${name}._expand_conv`, `${name}._bn0`, inner, 1)]),
    conv(`${name}._depthwise_conv`, `${name}._bn1`, inner, window, { stride, groups: inner }),
    conv(`${name}._project_conv`, `${name}._bn2`, channels, 1, { activation: 'none' }),
  ]
  return stride === 1 && inChannels === channels ? [{ kind: 'residual', steps }] : steps
}

interface ConvOptions {
  readonly stride?: number
  readonly groups?: number
  readonly activation?: ConvActivation
}

function conv(
  weight: string,
  norm: string,
  channels: number,
  window: number,
  { stride = 1, groups = 1, activation = 'relu6' }: ConvOptions = {},
): ConvStep {
  return {
    kind: 'conv',
    weight,
    norm,
    channels,
    window: [window, window],
    stride,
    padding: 'same',
    groups,
    activation,
  }
}
