import type { Shape } from '@dit/tensor'
import type { Program, SavedArguments } from './program.js'

/** Names that only a block has which is not built here. */
const BLOCKS: readonly (readonly [name: RegExp, what: string])[] = [
  [/^x_embedder\.proj1\./, 'a patch embedding of two layers'],
  [/^in_context_posemb$/, 'in-context tokens'],
  [/^feat_rope(_\w+)?\./, 'RoPE'],
  [/^blocks\.\d+\.mlp\.w12\./, 'SwiGLU'],
  [/^blocks\.\d+\.attn\.q_norm\./, 'QK norm'],
]

/** Options of LightningDiT's configuration that stand for the same; RoPE may leave no name behind. */
const OPTIONS: Readonly<Record<string, string>> = {
  'model.use_rope': 'RoPE',
  'model.use_swiglu': 'SwiGLU',
  'model.use_rmsnorm': 'RMSNorm',
  'model.use_qknorm': 'QK norm',
  'model.wo_shift': 'modulation without shift',
}

/** What a network has that is not built here, in words. */
export function needsOf(
  program: Program | null,
  shapes: ReadonlyMap<string, Shape>,
  saved: SavedArguments,
): readonly string[] {
  const needs = new Set<string>()
  const names = [...shapes.keys()]
  for (const [pattern, what] of BLOCKS) if (names.some((name) => pattern.test(name))) needs.add(what)
  if (hasRmsNorm(shapes)) needs.add('RMSNorm')
  for (const [option, what] of Object.entries(OPTIONS)) if (isOn(saved.get(option))) needs.add(what)
  const [rows, hiddenSize] = shapes.get('blocks.0.adaLN_modulation.1.weight') ?? []
  if (rows !== undefined && rows === 4 * hiddenSize) needs.add('modulation without shift')
  if (program === 'JiT') {
    // Its tables of sines and cosines need not be saved.
    needs.add('RoPE')
    const scale = saved.get('noise_scale')
    if (typeof scale === 'number' && scale !== 1) needs.add(`noise of scale ${scale}`)
  }
  return [...needs]
}

/** Whether a saved option is on, also where a configuration wrote it as a number or a word. */
function isOn(value: string | number | boolean | undefined): boolean {
  return value === true || value === 1 || /^(?:true|yes|on|1)$/i.test(String(value))
}

/** A norm with a scale and no shift. */
export function hasRmsNorm(shapes: ReadonlyMap<string, Shape>): boolean {
  return shapes.has('blocks.0.norm1.weight') && !shapes.has('blocks.0.norm1.bias')
}
