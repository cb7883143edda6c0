import { add, chunk, concat, gatedResidual, linear, reshape, scope, stopGradient, type Tensor } from '@dit/tensor'
import type { DiTConfig } from '../config.js'
import { linearLayer, trained } from '../parameter-spec.js'
import type { ReadParameter } from '../parameter-source.js'
import { attentionParameters, selfAttention } from '../parts/attention.js'
import { mlp, mlpParameters } from '../parts/mlp.js'
import { LAYER_NORM_EPSILON, modulatedNorm, normParameters, plainNorm } from '../parts/norm.js'
import { ignore, type Trace } from '../trace.js'
import type { Block, Condition } from './block.js'

/**
 * The block of DiT: attention, then an MLP, each on normalised and modulated tokens and each added through a gate.
 *
 *   shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp = SiLU(c) W^T + bias, cut into six
 *   x = x + gateMsa * attention(norm(x) * (1 + scaleMsa) + shiftMsa)
 *   x = x + gateMlp * mlp(norm(x) * (1 + scaleMlp) + shiftMlp)
 *
 * `adaLN` has no gates, and without `modulationShift` there are no shifts; the parts that are left keep their order. The layer begins as
 * zeros: with gates the block is then the identity, without them a plain transformer block. With `sharedModulation` it belongs to all
 * blocks, and each adds a table of its own, which begins as zeros.
 *
 * Peebles & Xie 2022, section 3.2 and figure 3. Chen et al. 2023 (PixArt-alpha), section 2.3 (shared modulation: their table begins as
 * normal draws). Yao et al. 2025 (LightningDiT): modulation without shift.
 */
export const adaLN: Block = {
  parameters(config, numTokens) {
    const D = config.hiddenSize
    const parts = 2 * partsOf(config).length
    return {
      ...normParameters(config, 'norm1', D, false),
      ...normParameters(config, 'norm2', D, false),
      ...attentionParameters(config, numTokens),
      ...mlpParameters(config, numTokens),
      ...(config.sharedModulation === true
        ? { 'adaLN_modulation.table': trained([parts, D], 'zeros') }
        : linearLayer('adaLN_modulation.1', [parts * D, D], 1, 'zeros')),
    }
  },

  shared(config) {
    if (config.sharedModulation !== true) return {}
    const D = config.hiddenSize
    return linearLayer('adaLN_modulation.1', [2 * partsOf(config).length * D, D], 1, 'zeros')
  },

  numScores: (numTokens) => numTokens ** 2,

  apply(x, condition, param, config, trace) {
    const { mlpNormEpsilon = LAYER_NORM_EPSILON } = config
    return scope(() => {
      const parts = modulationOf(condition, param, config) // [B, D] each
      traceModulation(trace, parts)
      const half = parts.length / 2
      const msa = named(parts.slice(0, half), config)
      const ofMlp = named(parts.slice(half), config)

      if (trace !== ignore) traceNorm(trace, 'norm1', x, param, config, LAYER_NORM_EPSILON)
      const toMix = modulatedNorm(x, msa, config, param, 'norm1', LAYER_NORM_EPSILON) // [B, N, D]
      const between = residual(x, msa.gate, selfAttention(toMix, condition.rotation, param, config, trace)) // [B, N, D]

      if (trace !== ignore) traceNorm(trace, 'norm2', between, param, config, mlpNormEpsilon)
      const toMlp = modulatedNorm(between, ofMlp, config, param, 'norm2', mlpNormEpsilon) // [B, N, D]
      const hidden = mlp(toMlp, param, config) // [B, N, D]
      trace('mlp', hidden)
      const out = residual(between, ofMlp.gate, hidden) // [B, N, D]
      trace('', out)
      return out
    })
  },
}

type Part = 'shift' | 'scale' | 'gate'

/** What each of the two branches is told, in the order of the published weights. */
function partsOf({ block, modulationShift }: DiTConfig): readonly Part[] {
  return (['shift', 'scale', 'gate'] as const).filter(
    (part) => !(part === 'shift' && modulationShift === false) && !(part === 'gate' && block === 'adaLN'),
  )
}

function named(parts: readonly Tensor[], config: DiTConfig) {
  return Object.fromEntries(partsOf(config).map((part, i) => [part, parts[i]])) as {
    readonly shift?: Tensor
    readonly scale: Tensor
    readonly gate?: Tensor
  }
}

function modulationOf({ siluC, modulation }: Condition, param: ReadParameter, config: DiTConfig): Tensor[] {
  const count = 2 * partsOf(config).length
  return scope(() => {
    const all =
      modulation === null
        ? linear(siluC, param('adaLN_modulation.1.weight'), param('adaLN_modulation.1.bias'))
        : add(modulation, reshape(param('adaLN_modulation.table'), [count * config.hiddenSize])) // [B, count D]
    return chunk(all, count) // count x [B, D]
  })
}

function residual(x: Tensor, gate: Tensor | undefined, branch: Tensor): Tensor {
  return gate === undefined ? add(x, branch) : gatedResidual(x, gate, branch)
}

/** The parts as the one vector they were cut from. */
export function traceModulation(trace: Trace, parts: readonly Tensor[]): void {
  if (trace !== ignore)
    trace(
      'adaLN_modulation',
      stopGradient(() => concat(parts, 1)),
    )
}

function traceNorm(
  trace: Trace,
  name: string,
  x: Tensor,
  param: ReadParameter,
  config: DiTConfig,
  epsilon: number,
): void {
  trace(
    name,
    stopGradient(() => plainNorm(x, config, param, name, epsilon)),
  )
}
