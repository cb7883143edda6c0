import type { ParameterTable } from '../objective/objective.js'
import type { ParameterGroup } from './groups.js'

/** Names for parts of a DiT that are often trained by themselves. */
const PARTS: Readonly<Record<string, string>> = {
  final: 'final_layer.*',
  labels: 'y_embedder.*',
  timesteps: 't_embedder.*',
  patches: 'x_embedder.*',
  positions: 'pos_embed',
  blocks: 'blocks.*',
  attn: 'blocks.*.attn.*',
  mlp: 'blocks.*.mlp.*',
  adaln: '*adaLN_modulation.*',
  biases: '*.bias',
}

/** Names that a message lists at most. */
const MOST_LISTED = 12

/**
 * The parameters that patterns choose, as a regular expression over their names. A pattern is
 *
 * - a part of a DiT: final, labels, timesteps, patches, positions, blocks, attn, mlp, adaln, biases;
 * - blocks by number: `blocks.8-` (from 8 on), `blocks.2-5`, `blocks.7`;
 * - a name in which `*` stands for anything: `blocks.*.attn.qkv.weight`.
 *
 * @param table of the names that there are
 * @throws RangeError for no pattern, and for one that no parameter matches, with the names that there are
 *
 * @example
 * chosenParameters(['final', 'blocks.10-'], objective.parameters)
 */
export function chosenParameters(patterns: readonly string[], table: Readonly<Record<string, unknown>>): string {
  if (patterns.length === 0) throw new RangeError('chosenParameters: there must be a pattern')
  const names = Object.keys(table)
  const sources = patterns.map((pattern) => {
    const source = sourceOf(pattern, names)
    const whole = new RegExp(`^(?:${source})$`)
    if (!names.some((name) => whole.test(name))) throw nothingMatches(pattern, names)
    return source
  })
  return `^(?:${sources.join('|')})$`
}

/**
 * A group that freezes all parameters but the chosen: they get no gradient, no moments, no weight decay, and are their own average.
 * Put it first into `groups` of a recipe.
 *
 * @throws RangeError as `chosenParameters`, and where nothing that can be trained is chosen
 *
 * @example
 * const { parameters } = objective
 * train({ objective, recipe: { ...recipe, groups: [trainOnly(['final', 'adaln'], parameters)] }, initial, ...others })
 */
export function trainOnly(patterns: readonly string[], table: ParameterTable): ParameterGroup {
  const chosen = chosenParameters(patterns, table)
  const trained = new RegExp(chosen)
  if (!Object.entries(table).some(([name, { isTrainable = true }]) => isTrainable && trained.test(name))) {
    throw new RangeError(`chosenParameters: ${patterns.join(', ')} is a fixed table, which is never trained`)
  }
  return { name: 'frozen', match: `^(?!${chosen.slice(1)})`, isFrozen: true }
}

function sourceOf(pattern: string, names: readonly string[]): string {
  const blocks = /^blocks\.(\d+)(-(\d*))?$/.exec(pattern)
  if (blocks === null) return globSource(PARTS[pattern] ?? pattern)
  const [, first, range, last] = blocks
  const from = Number(first)
  const to = range === undefined ? from : last === '' ? Infinity : Number(last)
  const numbers = new Set(names.flatMap((name) => /^blocks\.(\d+)\./.exec(name)?.[1] ?? []))
  const chosen = [...numbers].filter((number) => Number(number) >= from && Number(number) <= to)
  if (chosen.length === 0) throw nothingMatches(pattern, names)
  return `blocks\\.(?:${chosen.join('|')})\\..*`
}

function globSource(glob: string): string {
  return glob
    .split('*')
    .map((text) => text.replace(/[.\\+?^${}()|[\]]/g, String.raw`\$&`))
    .join('.*')
}

function nothingMatches(pattern: string, names: readonly string[]): RangeError {
  // Blocks repeat each other: the first one shows what there is.
  const shown = names.filter((name) => !/^blocks\.[1-9]/.test(name))
  const listed = shown.slice(0, MOST_LISTED).join(', ')
  const rest = names.length - Math.min(shown.length, MOST_LISTED)
  return new RangeError(
    `chosenParameters: no parameter matches ${JSON.stringify(pattern)}; there are the parts ${Object.keys(PARTS).join(', ')}, blocks such as blocks.2-5, and names such as ${listed}${rest > 0 ? ` and ${rest} more` : ''}`,
  )
}
