// A block of your own: dit train --objective docs/examples/own-block.mjs --data shapes --size 16
import {
  attentionParameters,
  LAYER_NORM_EPSILON,
  linearLayer,
  mlp,
  mlpParameters,
  modulatedNorm,
  normParameters,
  selfAttention,
} from '@dit/model/blocks'
import { add, chunk, gatedResidual, linear, scope } from '@dit/tensor'
import { denoising, ditWithBlock } from '@dit/train-ddp'

/**
 * Attention and MLP side by side on one norm, in place of one after the other (Dehghani et al. 2023, "Scaling Vision Transformers to 22
 * Billion Parameters", section 2).
 */
export const parallel = {
  // By names without `blocks.<i>.`. What is `zeros` makes the block the identity at first.
  parameters: (config, numTokens) => ({
    ...normParameters(config, 'norm', config.hiddenSize, false),
    ...attentionParameters(config, numTokens),
    ...mlpParameters(config, numTokens),
    ...linearLayer('modulation', [3 * config.hiddenSize, config.hiddenSize], 1, 'zeros'),
  }),
  // For counts: queries times keys.
  numScores: (numTokens) => numTokens ** 2,
  // x [B, N, D]; siluC [B, D] is what the block is told of timestep and class.
  apply: (x, { siluC, rotation }, param, config, trace) =>
    scope(() => {
      const told = linear(siluC, param('modulation.weight'), param('modulation.bias')) // [B, 3 D]
      const [shift, scale, gate] = chunk(told, 3) // 3 x [B, D]
      const normed = modulatedNorm(x, { shift, scale }, config, param, 'norm', LAYER_NORM_EPSILON) // [B, N, D]
      const both = add(selfAttention(normed, rotation, param, config, trace), mlp(normed, param, config))
      return gatedResidual(x, gate, both) // [B, N, D]
    }),
}

// Everything else is a DiT's: patches, positions, embeddings, the last layer. Other fields work as ever: norm, mlp, rope, qkNorm.
export const objective = ({ classes, shape: [C, H, W] }) => {
  const config = {
    inputSize: [H, W],
    patchSize: 4,
    inChannels: C,
    hiddenSize: 64,
    depth: 4,
    numHeads: 4,
    mlpRatio: 4,
    numClasses: classes.length,
    classDropout: 0.1,
    learnSigma: false,
    mlp: 'swiglu',
    rope: true,
  }
  return denoising(ditWithBlock(config, 'parallel', parallel), { meanType: 'x0', varianceType: 'fixedSmall' })
}
