import {
  add,
  type Backend,
  concat,
  formatShape,
  linear,
  type Params,
  recompute,
  reshape,
  scope,
  slice,
  type Tensor,
} from '@dit/tensor'
import { patchEmbed, tokenGrid, unpatchify } from '@dit/tokenizer'
import type { Block } from './blocks/block.js'
import { blockOf } from './blocks/block-of.js'
import { checkParamsOnce } from './check-params.js'
import { conditioning } from './conditioning.js'
import type { ConditionInputs } from './conditions/inputs.js'
import { type DiTConfig, nullLabel, numTokens } from './config.js'
import { contextOf } from './context-tokens.js'
import { finalLayer } from './final-layer.js'
import { isParameterSource, parameterReader, type ParameterSource, type ReadParameter } from './parameter-source.js'
import { rotationOf } from './parts/rope.js'
import { handing, type Trace, under } from './trace.js'

/** What a DiT reads. Timesteps and labels are host arrays: their features and range checks are made there. */
export interface ForwardInputs {
  /** Noisy latents, `[B, C, H, W]`. */
  readonly xt: Tensor
  /** `[B]`, as the model was trained on them (0 .. 999 for published weights); fractions only without a timestep table. */
  readonly timesteps: ArrayLike<number>
  /** `[B]`, classes 0 .. numClasses - 1, or `numClasses` for the null class of a model that has one; not where the configuration has `conditions`. */
  readonly labels?: ArrayLike<number> | undefined
  /** From `conditionInputs`, where the configuration has any `conditions`. */
  readonly conditions?: ConditionInputs | undefined
  /** `[B]`, scales of guidance within `guidanceRange`, where the configuration has one. */
  readonly guidance?: ArrayLike<number> | undefined
}

export interface ForwardOptions {
  /**
   * `block` keeps only the input of each block for the backward pass and runs the block again there; a number does so for
   * the first so many blocks.
   */
  readonly recompute?: 'none' | 'block' | number
  /**
   * Called with intermediate results as they arise: `patch_embed`, `tokens`, `t_freq`, `t_emb`, `y_emb`, `c`, then per
   * block `blocks.0.adaLN_modulation`, `.norm1`, `.attn.qkv`, `.attn`, `.norm2`, `.mlp` and `blocks.0` itself, then
   * `final_layer.adaLN_modulation` and `final_layer`; queries and keys that are normalised or turned are `.attn.q_norm`, `.attn.k_norm`,
   * `.rope_q` and `.rope_k`, a cross-attention's output `.cross_attn` after `.norm_cross`. A value lives until its part of the network is done; call `keep` on
   * those wanted longer, and dispose of them. Blocks that are recomputed in a backward pass report again.
   */
  readonly trace?: Trace
  /** Blocks of your own, in place of those that the configuration names. */
  readonly block?: Block | undefined
}

/**
 * Runs a Diffusion Transformer.
 *
 *   tokens = patchEmbed(xt) + positions
 *   c      = embed(timesteps) + embed(labels)       or + the sum of embed(condition)
 *   tokens = block(tokens, SiLU(c))            depth times
 *   out    = unpatchify(finalLayer(tokens, SiLU(c)))
 *
 * There is no randomness inside: training drops labels beforehand, with `dropLabels` of @dit/adaln.
 *
 * @param config fixes the shapes; H and W are its `inputSize`
 * @param params by official state-dict name, on the backend of `xt`; or a source that brings each there when it is read
 * @returns `[B, C_out, H, W]`: the noise prediction, followed by C variance channels when `learnSigma`; the caller
 *   disposes of it
 * @throws RangeError when a shape, a length, a label or a timestep does not fit, or the parameters are not those of the
 *   configuration
 * @throws TypeError when `xt` and the parameters live on two backends
 *
 * Peebles & Xie 2022, "Scalable Diffusion Models with Transformers", figure 3.
 */
export function forward(
  config: DiTConfig,
  params: Params | ParameterSource,
  inputs: ForwardInputs,
  options: ForwardOptions = {},
): Tensor {
  return run(config, params, inputs, options, null).output
}

/**
 * `forward`, and the tokens after a number of blocks: what an alignment with features of another network is made of.
 *
 * @param options `after` counts blocks, 1 .. depth
 * @returns `tokens` `[B, N, D]`, those of the picture only; differentiable like `output`. The caller disposes of both
 * @throws RangeError as `forward`, or where there are not so many blocks
 *
 * Yu et al. 2025, "Representation Alignment for Generation", section 3.2.
 */
export function forwardWithTokens(
  config: DiTConfig,
  params: Params | ParameterSource,
  inputs: ForwardInputs,
  { after, ...options }: ForwardOptions & { readonly after: number },
): { readonly output: Tensor; readonly tokens: Tensor } {
  if (!Number.isInteger(after) || after < 1 || after > config.depth) {
    throw new RangeError(`forwardWithTokens: after must be an integer in 1..${config.depth} (got ${after})`)
  }
  const { output, taken } = run(config, params, inputs, options, after)
  return { output, tokens: taken! }
}

function run(
  config: DiTConfig,
  params: Params | ParameterSource,
  inputs: ForwardInputs,
  { recompute: recomputed = 'none', trace: callback, block }: ForwardOptions,
  after: number | null,
): { readonly output: Tensor; readonly taken: Tensor | null } {
  checkParamsOnce(config, params, block)
  const { backend } = isParameterSource(params) ? params : params.pos_embed
  checkInputs(config, backend, inputs)
  const { xt, timesteps } = inputs
  const param = parameterReader(params)
  const { inputSize, patchSize, depth } = config
  const trace = handing(callback)
  return scope(() => {
    let tokens = scope(() => {
      const patches = embedPatches(xt, config, param) // [B, N, D]
      trace('patch_embed', patches)
      return add(patches, param('pos_embed')) // [B, N, D]
    })
    trace('tokens', tokens)
    const numRecomputed = recomputed === 'block' ? depth : recomputed === 'none' ? 0 : recomputed
    const { context, ...told } = conditioning(config, param, timesteps, inputs, trace)
    const rotation = (numUnplaced: number) => (config.rope === true ? rotationOf(config, backend, numUnplaced) : null)
    let condition = { ...told, rotation: rotation(0) }
    const { start } = contextOf(config)
    const count = context?.shape[1] ?? 0 // n, which `most` of a condition's tokens bounds
    const kind = block ?? blockOf(config)
    const ofPicture = (all: Tensor, numBefore: number) => slice(all, 1, numBefore, numTokens(config)) // [B, N, D]
    let taken: Tensor | null = null

    for (let i = 0; i < depth; i++) {
      if (context !== null && i === start) {
        tokens = replaced(tokens, concat([context, tokens], 1)) // [B, n + N, D]
        condition = { ...told, rotation: rotation(count) }
      }
      const [input, of] = [tokens, condition]
      const ofBlock = (name: string) => param(`blocks.${i}.${name}`)
      const apply = () => kind.apply(input, of, ofBlock, config, under(`blocks.${i}`, trace))
      tokens = replaced(input, i < numRecomputed ? recompute(apply) : apply()) // [B, N, D]
      if (i + 1 === after) taken = ofPicture(tokens, context !== null && i >= start ? count : 0)
    }
    if (context !== null) tokens = replaced(tokens, ofPicture(tokens, count))

    const outputs = finalLayer(tokens, told.siluC, param, config, trace) // [B, N, P P C_out]
    return { output: unpatchify(outputs, { patchSize, grid: tokenGrid(inputSize, patchSize) }), taken } // [B, C_out, H, W]
  })
}

function checkGuidance({ guidanceRange = [0, 0] }: DiTConfig, guidance: ArrayLike<number>): void {
  const [low, high] = guidanceRange.map(Math.fround)
  const wrong = Array.from(guidance).find((scale) => !(Math.fround(scale) >= low && Math.fround(scale) <= high))
  if (wrong !== undefined)
    throw new RangeError(`forward: guidance must be ${guidanceRange.join(' to ')} (got ${wrong})`)
}

/** A value in the place of another, which is let go of: a tape that needs it holds on to it. */
function replaced(old: Tensor, value: Tensor): Tensor {
  old.dispose()
  return value
}

/** Tokens of patches, through a narrower layer first where there is one. */
function embedPatches(xt: Tensor, { patchBottleneck }: DiTConfig, param: ReadParameter): Tensor {
  if (patchBottleneck === undefined) {
    return patchEmbed(xt, param('x_embedder.proj.weight'), param('x_embedder.proj.bias')) // [B, N, D]
  }
  return scope(() => {
    const narrow = patchEmbed(xt, param('x_embedder.proj1.weight'), null) // [B, N, patchBottleneck]
    const weight = param('x_embedder.proj2.weight')
    return linear(narrow, reshape(weight, weight.shape.slice(0, 2)), param('x_embedder.proj2.bias')) // [B, N, D]
  })
}

function checkInputs(
  config: DiTConfig,
  backend: Backend,
  { xt, timesteps, labels = [], conditions, guidance = [] }: ForwardInputs,
): void {
  const { inputSize, patchSize } = config
  const [height, width] = tokenGrid(inputSize, patchSize).map((patches) => patches * patchSize)
  const [B, C, H, W] = xt.shape
  if (xt.shape.length !== 4 || B < 1 || C !== config.inChannels) {
    throw new RangeError(
      `forward: xt must be [B, ${config.inChannels}, ${height}, ${width}] (got ${formatShape(xt.shape)})`,
    )
  }
  if (H !== height || W !== width) {
    throw new RangeError(
      `forward: xt must be [B, ${C}, ${height}, ${width}] (got ${formatShape(xt.shape)}); withInputSize fits the weights to another size`,
    )
  }
  const specs = config.conditions
  if (specs !== undefined && labels.length > 0) throw new RangeError('forward: the network has conditions, not labels')
  const told =
    specs === undefined ? { labels: labels.length } : { conditions: conditions?.count ?? (specs.length > 0 ? 0 : B) }
  const lengths = { timesteps: timesteps.length, ...told, guidance: guidance.length }
  for (const [name, length] of Object.entries(lengths)) {
    const expected = name === 'guidance' && config.guidanceRange === undefined ? 0 : B
    if (length !== expected) {
      throw new RangeError(`forward: ${name} must have one entry per sample of xt, ${expected} (got ${length})`)
    }
  }
  checkGuidance(config, guidance)
  const last = nullLabel(config) ?? config.numClasses - 1
  for (let i = 0; i < labels.length; i++) {
    if (!Number.isInteger(labels[i]) || labels[i] < 0 || labels[i] > last) {
      const rule = `labels must be integers in 0..${last}${last === config.numClasses ? ', the null class' : ''}`
      throw new RangeError(`forward: ${rule} (labels[${i}] is ${labels[i]})`)
    }
  }
  if (backend !== xt.backend) {
    throw new TypeError(
      `forward: xt and the parameters must live on one backend (got ${xt.backend.name} and ${backend.name})`,
    )
  }
}
