import type { ConvActivation } from '@dit/tensor'

/** Which windows a convolution or a pooling takes: those within the picture, or one for each stride, padded as evenly as it goes. */
export type Padding = 'valid' | 'same'

/** A convolution without bias, the batch normalization after it, and an activation; made one convolution when weights are read. */
export interface ConvStep {
  readonly kind: 'conv'
  /** Name of the weight, without `.weight`. */
  readonly weight: string
  /** Name of the normalization, without `.bias` and the like. */
  readonly norm: string
  readonly channels: number
  readonly window: readonly [height: number, width: number]
  readonly stride: number
  readonly padding: Padding
  readonly groups: number
  readonly activation: ConvActivation
}

export interface PoolStep {
  readonly kind: 'maxPool' | 'averagePool'
  /** Side of the square window; pixels outside of the picture do not count. */
  readonly window: number
  readonly stride: number
  readonly padding: Padding
}

/** Every branch takes the same input; their channels are put behind each other. */
export interface BranchesStep {
  readonly kind: 'branches'
  readonly branches: readonly (readonly Step[])[]
}

/** The input is added to what the steps make of it. */
export interface ResidualStep {
  readonly kind: 'residual'
  readonly steps: readonly Step[]
}

/** A part of a network without state: what it does to maps `[B, C, H, W]`. */
export type Step = ConvStep | PoolStep | BranchesStep | ResidualStep

/** Every convolution of the steps, in order, with the channels that enter it; and the channels that leave the last step. */
export function convolutionsOf(
  steps: readonly Step[],
  channels: number,
): { readonly convolutions: readonly (ConvStep & { readonly inChannels: number })[]; readonly channels: number } {
  const convolutions: (ConvStep & { readonly inChannels: number })[] = []
  let current = channels
  for (const step of steps) {
    if (step.kind === 'conv') {
      convolutions.push({ ...step, inChannels: current })
      current = step.channels
    } else if (step.kind === 'residual') {
      convolutions.push(...convolutionsOf(step.steps, current).convolutions)
    } else if (step.kind === 'branches') {
      const branches = step.branches.map((branch) => convolutionsOf(branch, current))
      convolutions.push(...branches.flatMap((branch) => branch.convolutions))
      current = branches.reduce((sum, branch) => sum + branch.channels, 0)
    }
  }
  return { convolutions, channels: current }
}
