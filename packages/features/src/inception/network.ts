import { permute, reshape, slice } from '@dit/tensor'
import { meanTap, type Network, type Tap } from '../network/network.js'
import type { ConvStep, Padding, PoolStep, Step } from '../network/step.js'

/**
 * Inception v3 as TensorFlow's graph of 2015-12-05 has it, under the names of torchvision. It differs from torchvision's: average pools do not
 * count padding, the last block has a maximum pool instead, and there are 1008 classes. Layers are named as in torch-fidelity, by their width.
 *
 * Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", figures 5 to 7 and table 1.
 */
export const INCEPTION: Network = {
  parts: [
    {
      steps: [
        conv('Conv2d_1a_3x3', 32, 3, { stride: 2, padding: 'valid' }), // [B, 32, 149, 149]
        conv('Conv2d_2a_3x3', 32, 3, { padding: 'valid' }), // [B, 32, 147, 147]
        conv('Conv2d_2b_3x3', 64, 3), // [B, 64, 147, 147]
        halvingPool(), // [B, 64, 73, 73]
      ],
      tap: meanTap('64', 64),
    },
    {
      steps: [
        conv('Conv2d_3b_1x1', 80, 1), // [B, 80, 73, 73]
        conv('Conv2d_4a_3x3', 192, 3, { padding: 'valid' }), // [B, 192, 71, 71]
        halvingPool(), // [B, 192, 35, 35]
      ],
      tap: meanTap('192', 192),
    },
    {
      steps: [
        blockA('Mixed_5b', 32), // [B, 256, 35, 35]
        blockA('Mixed_5c', 64), // [B, 288, 35, 35]
        blockA('Mixed_5d', 64), // [B, 288, 35, 35]
        blockB('Mixed_6a'), // [B, 768, 17, 17]
        blockC('Mixed_6b', 128), // [B, 768, 17, 17]
        blockC('Mixed_6c', 160), // [B, 768, 17, 17]
        blockC('Mixed_6d', 160), // [B, 768, 17, 17]
      ],
      tap: spatialTap('spatial'),
    },
    { steps: [blockC('Mixed_6e', 192)], tap: meanTap('768', 768) }, // [B, 768, 17, 17]
    {
      steps: [
        blockD('Mixed_7a'), // [B, 1280, 8, 8]
        blockE('Mixed_7b', 'averagePool'), // [B, 2048, 8, 8]
        blockE('Mixed_7c', 'maxPool'), // [B, 2048, 8, 8]
      ],
      tap: meanTap('2048', 2048),
    },
  ],
  epsilon: 1e-3,
  head: { weight: 'fc', numClasses: 1008, logits: 'logits', unbiased: 'logits_unbiased' },
}

/**
 * Features of sFID: the first 7 channels of TensorFlow's `mixed_6/conv`, which is the first branch of `Mixed_6d`, in the order H, W, C: 17 * 17 * 7
 * numbers.
 *
 * Nash et al. 2021, "Generating Images with Sparse Representations", section 4.2; layer and channels as in ADM's evaluator.
 */
function spatialTap(layer: string): Tap {
  const channels = 7
  return {
    layer,
    width: 17 * 17 * channels,
    read: (maps) => {
      const places = permute(slice(maps, 1, 0, channels), [0, 2, 3, 1]) // [B, 17, 17, 7]
      return reshape(places, [maps.shape[0], places.size / maps.shape[0]])
    },
  }
}

interface ConvOptions {
  readonly stride?: number
  readonly padding?: Padding
}

function conv(
  name: string,
  channels: number,
  window: number | readonly [number, number],
  { stride = 1, padding = 'same' }: ConvOptions = {},
): ConvStep {
  return {
    kind: 'conv',
    weight: `${name}.conv`,
    norm: `${name}.bn`,
    channels,
    window: typeof window === 'number' ? [window, window] : window,
    stride,
    padding,
    groups: 1,
    activation: 'relu',
  }
}

function halvingPool(): PoolStep {
  return { kind: 'maxPool', window: 3, stride: 2, padding: 'valid' }
}

function blockA(name: string, poolChannels: number): Step {
  return {
    kind: 'branches',
    branches: [
      [conv(`${name}.branch1x1`, 64, 1)],
      [conv(`${name}.branch5x5_1`, 48, 1), conv(`${name}.branch5x5_2`, 64, 5)],
      [
        conv(`${name}.branch3x3dbl_1`, 64, 1),
        conv(`${name}.branch3x3dbl_2`, 96, 3),
        conv(`${name}.branch3x3dbl_3`, 96, 3),
      ],
      pooled(name, poolChannels, 'averagePool'),
    ],
  }
}

function blockB(name: string): Step {
  return {
    kind: 'branches',
    branches: [
      [conv(`${name}.branch3x3`, 384, 3, { stride: 2, padding: 'valid' })],
      [
        conv(`${name}.branch3x3dbl_1`, 64, 1),
        conv(`${name}.branch3x3dbl_2`, 96, 3),
        conv(`${name}.branch3x3dbl_3`, 96, 3, { stride: 2, padding: 'valid' }),
      ],
      [halvingPool()],
    ],
  }
}

function blockC(name: string, inner: number): Step {
  return {
    kind: 'branches',
    branches: [
      [conv(`${name}.branch1x1`, 192, 1)],
      [
        conv(`${name}.branch7x7_1`, inner, 1),
        conv(`${name}.branch7x7_2`, inner, [1, 7]),
        conv(`${name}.branch7x7_3`, 192, [7, 1]),
      ],
      [
        conv(`${name}.branch7x7dbl_1`, inner, 1),
        conv(`${name}.branch7x7dbl_2`, inner, [7, 1]),
        conv(`${name}.branch7x7dbl_3`, inner, [1, 7]),
        conv(`${name}.branch7x7dbl_4`, inner, [7, 1]),
        conv(`${name}.branch7x7dbl_5`, 192, [1, 7]),
      ],
      pooled(name, 192, 'averagePool'),
    ],
  }
}

function blockD(name: string): Step {
  return {
    kind: 'branches',
    branches: [
      [conv(`${name}.branch3x3_1`, 192, 1), conv(`${name}.branch3x3_2`, 320, 3, { stride: 2, padding: 'valid' })],
      [
        conv(`${name}.branch7x7x3_1`, 192, 1),
        conv(`${name}.branch7x7x3_2`, 192, [1, 7]),
        conv(`${name}.branch7x7x3_3`, 192, [7, 1]),
        conv(`${name}.branch7x7x3_4`, 192, 3, { stride: 2, padding: 'valid' }),
      ],
      [halvingPool()],
    ],
  }
}

function blockE(name: string, pool: PoolStep['kind']): Step {
  const split = (branch: string): Step => ({
    kind: 'branches',
    branches: [[conv(`${branch}a`, 384, [1, 3])], [conv(`${branch}b`, 384, [3, 1])]],
  })
  return {
    kind: 'branches',
    branches: [
      [conv(`${name}.branch1x1`, 320, 1)],
      [conv(`${name}.branch3x3_1`, 384, 1), split(`${name}.branch3x3_2`)],
      [conv(`${name}.branch3x3dbl_1`, 448, 1), conv(`${name}.branch3x3dbl_2`, 384, 3), split(`${name}.branch3x3dbl_3`)],
      pooled(name, 192, pool),
    ],
  }
}

function pooled(name: string, channels: number, kind: PoolStep['kind']): Step[] {
  return [{ kind, window: 3, stride: 1, padding: 'same' }, conv(`${name}.branch_pool`, channels, 1)]
}
