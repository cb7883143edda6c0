/** A parameter as counts see it. */
export interface CountedParameter {
  readonly shape: readonly number[]
  /** Whether training changes it (default true). */
  readonly isTrainable?: boolean
  /** How many times its matrix is applied for one image: once for each token that it sees, 0 for biases and tables (default 0). */
  readonly uses?: number
}

/**
 * What decides a network's cost: plain data, which `countedNetwork` of @dit/model makes of a configuration. Parts are told by the names of
 * the official state dicts of DiT.
 */
export interface CountedNetwork {
  readonly parameters: Readonly<Record<string, CountedParameter>>
  /** Multiply-adds of attention's two products for one image, block by block: queries times keys, and weights times values. */
  readonly attention: readonly { readonly scores: number; readonly values: number }[]
  readonly sizes: NetworkSizes
}

/** The sizes that estimates of memory are made of, for one image. */
export interface NetworkSizes {
  /** N, tokens of a block. */
  readonly numTokens: number
  /** D */
  readonly hiddenSize: number
  readonly numHeads: number
  /** M, width of the MLP. */
  readonly mlpWidth: number
  /** Values that go in, and that come out. */
  readonly inputs: number
  readonly outputs: number
  /** Values that a block keeps for its backward pass besides those of `memoryBytes`'s formula (default 0). */
  readonly savedBeside?: number
}

/** Parts of a network. */
export type Group = 'patchEmbedding' | 'positions' | 'timestep' | 'labels' | 'blocks' | 'final'

/** Parts of a block; the last two only where it has them. */
export type Layer = 'qkv' | 'proj' | 'mlp' | 'modulation' | 'crossAttention' | 'norms'

const GROUPS: readonly (readonly [start: string, group: Group])[] = [
  ['pos_embed', 'positions'],
  ['in_context_posemb', 'positions'],
  ['x_embedder.', 'patchEmbedding'],
  ['t_embedder.', 'timestep'],
  ['y_embedder.', 'labels'],
  ['blocks.', 'blocks'],
  ['adaLN_modulation.', 'blocks'],
]

const LAYERS: readonly (readonly [name: RegExp, layer: Layer])[] = [
  [/^attn\.qkv\./, 'qkv'],
  [/^attn\.proj\./, 'proj'],
  [/^mlp\./, 'mlp'],
  [/^adaLN_modulation\./, 'modulation'],
  [/^cross_attn\./, 'crossAttention'],
]

/** The part that a parameter belongs to. */
export function groupOf(name: string): Group {
  return GROUPS.find(([start]) => name.startsWith(start))?.[1] ?? 'final'
}

/**
 * Parameters of the last block, by their names within it. All blocks are alike but for tokens that join on the way.
 *
 * @returns none where there are no blocks
 */
export function lastBlock({ parameters }: CountedNetwork): readonly (readonly [Layer, CountedParameter])[] {
  let last = -1
  const found = new Map<number, (readonly [Layer, CountedParameter])[]>()
  for (const [name, parameter] of Object.entries(parameters)) {
    const [, digits, rest] = /^blocks\.(\d{1,6})\.(.*)$/.exec(name) ?? []
    if (digits === undefined) continue
    const layer = LAYERS.find(([pattern]) => pattern.test(rest))?.[1] ?? 'norms'
    const block = Number(digits)
    found.set(block, [...(found.get(block) ?? []), [layer, parameter]])
    last = Math.max(last, block)
  }
  return found.get(last) ?? []
}

/** Number of values of a parameter. */
export function sizeOf({ shape }: CountedParameter): number {
  return shape.reduce((product, extent) => product * extent, 1)
}

/**
 * Checks a network; `who` begins the message.
 *
 * @throws RangeError naming the first entry that cannot be
 */
export function checkNetwork(who: string, { parameters, attention, sizes }: CountedNetwork): void {
  for (const [name, { shape, uses = 0 }] of Object.entries(parameters)) {
    if (!shape.every((extent) => Number.isSafeInteger(extent) && extent > 0)) {
      throw new RangeError(`${who}: the shape of ${name} must be positive integers ([${shape.join(', ')}])`)
    }
    requireCount(who, `uses of ${name}`, uses)
  }
  for (const [i, { scores, values }] of attention.entries()) {
    requireCount(who, `scores of block ${i}`, scores)
    requireCount(who, `values of block ${i}`, values)
  }
  for (const [name, value] of Object.entries(sizes)) requireCount(who, name, value)
}

function requireCount(who: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${who}: ${name} must be an integer, 0 or more (${value})`)
  }
}
