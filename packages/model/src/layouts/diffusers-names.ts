import type { Shape } from '@dit/tensor'
import { sincosPositions, tokenGrid } from '@dit/tokenizer'
import { type DiTConfig, numTokens } from '../config.js'
import type { Recipe } from './recipe.js'

/**
 * diffusers' names for ours, at the top. The embedders of timesteps and labels stand in the first norm of every block, each time
 * the same; the second norm has no weights, since its shift and scale come from the first norm's `linear`, too.
 */
const EMBEDDERS = [
  ['t_embedder.mlp.0.weight', 'timestep_embedder.linear_1.weight'],
  ['t_embedder.mlp.0.bias', 'timestep_embedder.linear_1.bias'],
  ['t_embedder.mlp.2.weight', 'timestep_embedder.linear_2.weight'],
  ['t_embedder.mlp.2.bias', 'timestep_embedder.linear_2.bias'],
  ['y_embedder.embedding_table.weight', 'class_embedder.embedding_table.weight'],
] as const

const TOP = [
  ['x_embedder.proj', 'pos_embed.proj'],
  ['final_layer.linear', 'proj_out_2'],
  ['final_layer.adaLN_modulation.1', 'proj_out_1'],
] as const

/** Within a block; the fused projection of attention is a matter of its own. */
const BLOCK = [
  ['attn.proj', 'attn1.to_out.0'],
  ['mlp.fc1', 'ff.net.0.proj'],
  ['mlp.fc2', 'ff.net.2'],
  ['adaLN_modulation.1', 'norm1.linear'],
] as const

const KINDS = ['weight', 'bias'] as const
const SPLIT = ['to_q', 'to_k', 'to_v'] as const

/** How our tensors come from those of a diffusers file, by our names. */
export function recipesFromDiffusers(config: DiTConfig, has: (name: string) => boolean): Map<string, Recipe> {
  const recipes = new Map<string, Recipe>()
  const same = (name: string, ...names: string[]) => recipes.set(name, { kind: 'same', names })
  if (has('pos_embed.pos_embed')) same('pos_embed', 'pos_embed.pos_embed')
  else recipes.set('pos_embed', positions(config))
  for (const [ours, theirs] of EMBEDDERS) same(ours, ...eachBlock(config, (i) => embedderName(i, theirs)))
  for (const kind of KINDS) {
    for (const [ours, theirs] of TOP) same(`${ours}.${kind}`, `${theirs}.${kind}`)
    for (let i = 0; i < config.depth; i++) {
      for (const [ours, theirs] of BLOCK) same(`blocks.${i}.${ours}.${kind}`, blockName(i, `${theirs}.${kind}`))
      const ours = `blocks.${i}.attn.qkv.${kind}`
      const fused = blockName(i, `attn1.to_qkv.${kind}`)
      if (has(fused)) same(ours, fused)
      else recipes.set(ours, { kind: 'stacked', names: SPLIT.map((part) => blockName(i, `attn1.${part}.${kind}`)) })
    }
  }
  return recipes
}

/** How the tensors of a diffusers file come from ours, by their names. */
export function recipesForDiffusers(config: DiTConfig): Map<string, Recipe> {
  const recipes = new Map<string, Recipe>()
  const same = (theirs: string, ours: string) => recipes.set(theirs, { kind: 'same', names: [ours] })
  for (const kind of KINDS) for (const [ours, theirs] of TOP) same(`${theirs}.${kind}`, `${ours}.${kind}`)
  for (let i = 0; i < config.depth; i++) {
    for (const [ours, theirs] of EMBEDDERS) same(embedderName(i, theirs), ours)
    for (const kind of KINDS) {
      for (const [ours, theirs] of BLOCK) same(blockName(i, `${theirs}.${kind}`), `blocks.${i}.${ours}.${kind}`)
      for (const [part, theirs] of SPLIT.entries()) {
        const name = `blocks.${i}.attn.qkv.${kind}`
        recipes.set(blockName(i, `attn1.${theirs}.${kind}`), { kind: 'part', name, part, parts: SPLIT.length })
      }
    }
  }
  return recipes
}

/** Names that a fused file may keep beside `to_qkv`, and whose values are then not used. */
export function unusedBesideFused({ depth }: DiTConfig, has: (name: string) => boolean): Set<string> {
  const names = new Set<string>()
  for (let i = 0; i < depth; i++) {
    for (const kind of KINDS) {
      if (!has(blockName(i, `attn1.to_qkv.${kind}`))) continue
      for (const part of SPLIT) names.add(blockName(i, `attn1.${part}.${kind}`))
    }
  }
  return names
}

function blockName(i: number, name: string): string {
  return `transformer_blocks.${i}.${name}`
}

function embedderName(i: number, name: string): string {
  return blockName(i, `norm1.emb.${name}`)
}

function eachBlock({ depth }: DiTConfig, name: (i: number) => string): string[] {
  return Array.from({ length: depth }, (_, i) => name(i))
}

/** diffusers does not store its position table. */
function positions(config: DiTConfig): Recipe {
  const shape: Shape = [1, numTokens(config), config.hiddenSize]
  return {
    kind: 'given',
    shape,
    values: () => sincosPositions(config.hiddenSize, tokenGrid(config.inputSize, config.patchSize)),
  }
}
