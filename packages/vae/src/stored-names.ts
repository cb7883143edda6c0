/** Names under which others keep the parameters of this network, as patterns of ours. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  // CompVis/latent-diffusion and CompVis/stable-diffusion; its decoder counts levels from the images inwards.
  [/^encoder\.down\.(\d+)\.block\.(\d+)\./, 'encoder.down_blocks.$1.resnets.$2.'],
  [/^encoder\.down\.(\d+)\.downsample\.conv\./, 'encoder.down_blocks.$1.downsamplers.0.conv.'],
  [/^decoder\.up\.(\d+)\.block\.(\d+)\./, 'decoder.up_blocks.-$1.resnets.$2.'],
  [/^decoder\.up\.(\d+)\.upsample\.conv\./, 'decoder.up_blocks.-$1.upsamplers.0.conv.'],
  [/^(en|de)coder\.mid\.block_1\./, '$1coder.mid_block.resnets.0.'],
  [/^(en|de)coder\.mid\.block_2\./, '$1coder.mid_block.resnets.1.'],
  [/^(en|de)coder\.mid\.attn_1\.norm\./, '$1coder.mid_block.attentions.0.group_norm.'],
  [/^(en|de)coder\.mid\.attn_1\.([qkv])\./, '$1coder.mid_block.attentions.0.to_$2.'],
  [/^(en|de)coder\.mid\.attn_1\.proj_out\./, '$1coder.mid_block.attentions.0.to_out.0.'],
  [/\.nin_shortcut\./, '.conv_shortcut.'],
  [/^(en|de)coder\.norm_out\./, '$1coder.conv_norm_out.'],
  // Early diffusers.
  [/\.attentions\.0\.query\./, '.attentions.0.to_q.'],
  [/\.attentions\.0\.key\./, '.attentions.0.to_k.'],
  [/\.attentions\.0\.value\./, '.attentions.0.to_v.'],
  [/\.attentions\.0\.proj_attn\./, '.attentions.0.to_out.0.'],
]

/** Where a whole Stable Diffusion checkpoint keeps the autoencoder among its other networks. */
const PART = 'first_stage_model.'

/** What training by CompVis leaves beside the autoencoder: its discriminator. */
const LEFT_OUT = /^loss\./

/**
 * Our name for each of the names in a file: those of diffusers' `AutoencoderKL`, of its early versions (`query`, `key`, `value`,
 * `proj_attn`), or of CompVis (`encoder.down.0.block.0`), also as a part of a whole checkpoint under `first_stage_model.`. A name
 * that none of these knows stays as it is; what belongs to other networks is not in the result.
 *
 * @param numLevels length of `blockOutChannels`
 */
export function vaeNames(stored: Iterable<string>, numLevels: number): Map<string, string> {
  const all = [...stored]
  const isPart = all.some((name) => name.startsWith(PART))
  const own = isPart ? all.filter((name) => name.startsWith(PART)) : all
  const names = own.map((name) => [name, isPart ? name.slice(PART.length) : name] as const)
  const isCompVis = names.some(([, name]) => /^(en|de)coder\.mid\./.test(name))
  return new Map(
    names
      .filter(([, name]) => !(isCompVis && LEFT_OUT.test(name)))
      .map(([original, name]) => [original, renamed(name, numLevels)]),
  )
}

function renamed(name: string, numLevels: number): string {
  const ours = RENAMED.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), name)
  return ours.replace(
    /^decoder\.up_blocks\.-(\d+)\./,
    (_, level: string) => `decoder.up_blocks.${numLevels - 1 - Number(level)}.`,
  )
}
