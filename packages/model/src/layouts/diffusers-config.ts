import { PUBLISHED_BLOCKS, unpublishedFields } from '../check-blocks.js'
import { checkConfig, type DiTConfig, outChannels } from '../config.js'

/** The fields of diffusers' `config.json` that fix a DiT, and what they are where absent. */
const DEFAULTS = {
  num_attention_heads: 16,
  attention_head_dim: 72,
  in_channels: 4,
  out_channels: null,
  num_layers: 28,
  sample_size: 32,
  patch_size: 2,
  num_embeds_ada_norm: 1000,
  norm_eps: 1e-5,
} as const

/** Fields that can have one value only, for the network to be a DiT. */
const FIXED: Readonly<Record<string, unknown>> = {
  norm_type: 'ada_norm_zero',
  activation_fn: 'gelu-approximate',
  attention_bias: true,
  norm_elementwise_affine: false,
}

/** `Transformer2DModel` is what the published folders say, from before the class had its name. */
const CLASSES = ['DiTTransformer2DModel', 'Transformer2DModel']

/**
 * Our configuration for the parsed `config.json` of a `DiTTransformer2DModel`.
 *
 * diffusers computes a DiT with two constants of its own: the frequencies of its timestep features have a shift of 1, and the
 * norm before each MLP has the epsilon `norm_eps`, 1e-5 unless it says otherwise. The configuration has them, so that
 * the outputs are those of diffusers.
 *
 * @throws RangeError naming the first field that is no DiT's
 */
export function configFromDiffusers(json: unknown): DiTConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new RangeError('config.json: must be a JSON object')
  }
  const given = json as Readonly<Record<string, unknown>>
  if (!CLASSES.includes(given['_class_name'] as string)) {
    throw new RangeError(`config.json: _class_name must be DiTTransformer2DModel (got ${shown(given['_class_name'])})`)
  }
  for (const [name, wanted] of Object.entries(FIXED)) {
    const came = Object.hasOwn(given, name) ? given[name] : wanted
    if (came !== wanted) throw new RangeError(`config.json: ${name} must be ${String(wanted)} (got ${shown(came)})`)
  }
  const number = (name: keyof typeof DEFAULTS): number => {
    const value = Object.hasOwn(given, name) ? given[name] : DEFAULTS[name]
    if (typeof value !== 'number') throw new RangeError(`config.json: ${name} must be a number (got ${shown(value)})`)
    return value
  }
  const inChannels = number('in_channels')
  const isGiven = (given['out_channels'] ?? null) !== null
  const channels = isGiven ? number('out_channels') : inChannels
  if (channels !== inChannels && channels !== 2 * inChannels) {
    throw new RangeError(`config.json: out_channels must be in_channels or twice as many (got ${channels})`)
  }
  const numHeads = number('num_attention_heads')
  const config: DiTConfig = {
    inputSize: number('sample_size'),
    patchSize: number('patch_size'),
    inChannels,
    hiddenSize: numHeads * number('attention_head_dim'),
    depth: number('num_layers'),
    numHeads,
    mlpRatio: 4,
    numClasses: number('num_embeds_ada_norm'),
    classDropout: 0.1,
    learnSigma: channels === 2 * inChannels,
    timestepFrequencyShift: 1,
    mlpNormEpsilon: number('norm_eps'),
  }
  checkConfig(config)
  return config
}

/**
 * The `config.json` of a `DiTTransformer2DModel` for our configuration.
 *
 * @throws RangeError naming the first field that diffusers' class cannot have
 */
export function configForDiffusers(config: DiTConfig): Record<string, unknown> {
  checkConfig(config)
  const { inputSize, hiddenSize, numHeads, mlpRatio, classDropout, positions, timestepEmbedding } = config
  const must = (holds: boolean, field: string, rule: string) => {
    if (!holds) throw new RangeError(`configForDiffusers: ${field} must be ${rule}, for diffusers has nothing else`)
  }
  must(typeof inputSize === 'number' || inputSize[0] === inputSize[1], 'inputSize', 'square')
  must(mlpRatio === 4, 'mlpRatio', '4')
  must(classDropout > 0, 'classDropout', 'above 0 (a null class)')
  must(positions !== 'learned', 'positions', 'sincos')
  must(timestepEmbedding !== 'table', 'timestepEmbedding', 'sinusoidal')
  for (const name of unpublishedFields(config)) must(false, name, String(PUBLISHED_BLOCKS[name] ?? 'absent'))
  return {
    _class_name: 'DiTTransformer2DModel',
    ...FIXED,
    attention_head_dim: hiddenSize / numHeads,
    dropout: 0,
    in_channels: config.inChannels,
    norm_eps: config.mlpNormEpsilon ?? 1e-6,
    norm_num_groups: 32,
    num_attention_heads: numHeads,
    num_embeds_ada_norm: config.numClasses,
    num_layers: config.depth,
    out_channels: outChannels(config),
    patch_size: config.patchSize,
    sample_size: typeof inputSize === 'number' ? inputSize : inputSize[0],
    upcast_attention: false,
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 60)
}
