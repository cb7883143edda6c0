import type { Shape } from '@dit/tensor'
import type { DiTConfig } from '../config.js'
import { type ConfigHints, draftConfig, type InferredConfig } from './infer-config.js'
import type { Program, SavedArguments } from './program.js'

/** What is known of a file beside its shapes. */
export interface KnownOfFile {
  readonly program: Program | null
  readonly saved: SavedArguments
  readonly hints: ConfigHints
}

/**
 * The configuration that shapes suggest, with the blocks of LightningDiT, JiT and REPA where names or saved options tell them.
 *
 * @param shapes by their names without a wrapper's prefix
 * @returns null where a telling shape is missing
 */
export function inferBlocks(shapes: ReadonlyMap<string, Shape>, known: KnownOfFile): InferredConfig | null {
  const first = shapes.get('x_embedder.proj1.weight')
  const gated = shapes.get('blocks.0.mlp.w12.weight')
  const drafted = draftConfig(asPlain(shapes), known.hints, headDimOf(shapes))
  if (drafted === null) return null
  const { config } = drafted
  const { rope, ropeAssumed } = ropeOf(shapes, known)
  const tokens = shapes.get('in_context_posemb')?.[1]
  const start = tokens === undefined ? undefined : JIT_STARTS[config.depth]
  const fields: Partial<DiTConfig> = {
    ...(gated === undefined ? {} : { mlp: 'swiglu', mlpRatio: gatedRatio(config.hiddenSize, gated[0] / 2) }),
    ...(hasRmsNorm(shapes) ? { norm: 'rms' } : {}),
    ...(headDimOf(shapes) === undefined ? {} : { qkNorm: true }),
    ...(rope ? { rope } : {}),
    ...(isUnshifted(shapes) ? { modulationShift: false } : {}),
    ...(tokens === undefined ? {} : { contextTokens: tokens }),
    ...(start === undefined ? {} : { contextStart: start }),
    ...(first === undefined ? {} : { patchBottleneck: first[0] }),
  }
  const assumptions = [
    ...drafted.assumptions,
    ...(ropeAssumed ? ['no rotary positions'] : []),
    ...(start === undefined ? [] : [`label tokens from block ${start} on, as in the published JiT of this depth`]),
  ]
  return { config: { ...config, ...fields }, assumptions }
}

/** Width of a head where queries are normalised within each. */
function headDimOf(shapes: ReadonlyMap<string, Shape>): number | undefined {
  return shapes.get('blocks.0.attn.q_norm.weight')?.[0]
}

/** A norm with a scale and no shift. */
export function hasRmsNorm(shapes: ReadonlyMap<string, Shape>): boolean {
  return shapes.has('blocks.0.norm1.weight') && !shapes.has('blocks.0.norm1.bias')
}

/** Names that tell a DiT's sizes, as a plain one has them. */
function asPlain(shapes: ReadonlyMap<string, Shape>): ReadonlyMap<string, Shape> {
  const plain = new Map(shapes)
  const first = shapes.get('x_embedder.proj1.weight')
  const second = shapes.get('x_embedder.proj2.weight')
  if (first !== undefined && second !== undefined) plain.set('x_embedder.proj.weight', [second[0], ...first.slice(1)])
  const gated = shapes.get('blocks.0.mlp.w12.weight')
  if (gated !== undefined) plain.set('blocks.0.mlp.fc1.weight', [gated[0] / 2, gated[1]])
  return plain
}

/** The MLP ratio of which SwiGLU takes two thirds: the usual 4 where that fits. */
function gatedRatio(hiddenSize: number, width: number): number {
  const isUsual = Math.floor((2 / 3) * (4 * hiddenSize)) === width
  return isUsual ? 4 : Math.ceil(1.5 * width) / hiddenSize
}

function isUnshifted(shapes: ReadonlyMap<string, Shape>): boolean {
  const [rows, hiddenSize] = shapes.get('blocks.0.adaLN_modulation.1.weight') ?? []
  return rows !== undefined && rows === 4 * hiddenSize
}

/** JiT keeps no table of its rotary positions, LightningDiT does unless it was told not to. */
function ropeOf(shapes: ReadonlyMap<string, Shape>, { program, saved }: KnownOfFile) {
  const option = saved.get('model.use_rope')
  const isNamed = [...shapes.keys()].some(isRotaryTable)
  const rope = program === 'JiT' || isNamed || isOn(option)
  return { rope, ropeAssumed: program === 'LightningDiT' && !rope && option === undefined }
}

/** Tables that LightningDiT keeps beside its parameters. */
export function isRotaryTable(name: string): boolean {
  return /^feat_rope(?:_\w+)?\./.test(name)
}

/** Whether a saved option is on, also where a configuration wrote it as a number or a word. */
function isOn(value: string | number | boolean | undefined): boolean {
  return value === true || value === 1 || /^(?:true|yes|on|1)$/i.test(String(value))
}

/** The block before which label tokens join, by the depth of the published JiTs (Li & He 2025): no file says it. */
const JIT_STARTS: Readonly<Record<number, number | undefined>> = { 12: 4, 24: 8, 32: 10 }

/** Throws where label tokens join before a block that neither the file nor the published networks tell. */
export function requireStart({ contextTokens, contextStart, depth }: DiTConfig): void {
  if (contextTokens === undefined || contextStart !== undefined) return
  throw new RangeError(
    `weights: the label tokens of a JiT of depth ${depth} join before a block that no file tells; give the configuration, with contextStart`,
  )
}
