import type { TensorFile } from '@dit/checkpoint'
import type { Shape } from '@dit/tensor'
import { hasRmsNorm, isRotaryTable } from './infer-blocks.js'
import { needsOf } from './needs.js'
import { processOf } from './saved-process.js'

/** Training programs whose files are told apart, by names of tensors or by the arguments saved beside them. */
export type Program = 'DiT' | 'SiT' | 'REPA' | 'LightningDiT' | 'JiT'

/**
 * The process that weights were trained on, as plain data: what `completeProcess` of `@dit/train-ddp` takes. A setting that the file
 * does not tell is absent.
 */
export interface ProcessDescription {
  readonly kind: string
  readonly [setting: string]: unknown
}

/** Numbers, texts and truth values of a training script's arguments, or of its configuration as `model.use_rope`. */
export type SavedArguments = ReadonlyMap<string, string | number | boolean>

/** What a file of weights is, as far as names and saved arguments tell. */
export interface RecognisedProgram {
  /** Null where nothing tells. A bare state dict of SiT has the names of a DiT's. */
  readonly program: Program | null
  /** Null where nothing tells. */
  readonly process: ProcessDescription | null
  /** What the network has that is not built here; empty where it can be loaded. */
  readonly needs: readonly string[]
}

/**
 * Tells whose training program wrote weights, on which process it trained, and what it needs that is not built here.
 *
 * Names tell REPA (its projectors), JiT (its patch embedding) and LightningDiT (its blocks). Arguments tell SiT, REPA, LightningDiT and
 * DiT. The official scripts of DiT save no process, so that of DiT stays null.
 *
 * @param shapes of the tensors, by their names without a wrapper's prefix
 * @throws RangeError where saved arguments have a value that the program does not
 *
 * @example
 * recogniseProgram(shapes, new Map([['path_type', 'GVP'], ['prediction', 'velocity']]))
 * // SiT, { kind: 'flow', networkTime: 'towardsData', interpolant: 'gvp', prediction: 'velocity' }
 *
 * Names and arguments are those of the published code: Ma et al. 2024 (SiT), Yu et al. 2025 (REPA), Yao et al. 2025 (LightningDiT), Li
 * and He 2025 (JiT).
 */
export function recogniseProgram(
  shapes: ReadonlyMap<string, Shape>,
  saved: SavedArguments = new Map(),
): RecognisedProgram {
  const program = programOf([...shapes.keys()], shapes, saved)
  return { program, process: processOf(program, saved), needs: needsOf(program, saved) }
}

/** What loading leaves out: REPA's projectors are for its training alone, and tables of rotary positions are computed. */
export function isLeftOut(program: Program | null, name: string): boolean {
  return (program === 'REPA' && name.startsWith('projectors.')) || isRotaryTable(name)
}

/** The refusal of weights that need what is not built. */
export function describeNeeds({ program, needs }: RecognisedProgram): string {
  const list = needs.length > 1 ? `${needs.slice(0, -1).join(', ')} and ${needs.at(-1)}` : needs[0]
  const are = needs.length > 1 ? 'are' : 'is'
  return `${program === null ? 'they need' : `these are ${program}'s and need`} ${list}, which ${are} not built yet`
}

/** Shapes by name. */
export function shapesOf({ entries }: Pick<TensorFile, 'entries'>): Map<string, Shape> {
  return new Map([...entries].map(([name, { shape }]) => [name, shape]))
}

function programOf(
  names: readonly string[],
  shapes: ReadonlyMap<string, Shape>,
  saved: SavedArguments,
): Program | null {
  const starts = (start: string) => names.some((name) => name.startsWith(start))
  if (shapes.has('x_embedder.proj1.weight') || starts('in_context_posemb')) return 'JiT'
  // REPA names its paths in small letters, SiT in capitals.
  const path = saved.get('path_type')
  if (starts('projectors.') || path === 'linear' || path === 'cosine') return 'REPA'
  if (path !== undefined) return 'SiT'
  const isConfigured = saved.has('transport.path_type') || String(saved.get('model.model_type')).startsWith('Lightning')
  const hasBlocks = starts('feat_rope.') || starts('blocks.0.mlp.w12.') || hasRmsNorm(shapes)
  if (isConfigured || hasBlocks) return 'LightningDiT'
  const model = String(saved.get('model'))
  return model.startsWith('SiT-') ? 'SiT' : model.startsWith('DiT-') ? 'DiT' : null
}
