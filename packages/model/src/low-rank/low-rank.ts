import type { Shape } from '@dit/tensor'

/** How weights are adapted by products of two thin matrices: W + alpha / rank B A. */
export interface LowRank {
  /** Columns of B and rows of A. */
  readonly rank: number
  /** The product is multiplied by `alpha / rank`, so that a learning rate that fits one rank fits others. */
  readonly alpha: number
  /** Regular expression over names: the matrices among them are adapted. */
  readonly match: string
  /** Regular expression over names: these are trained in full, beside the adapters; null for none. */
  readonly trained: string | null
}

/** Names of the two matrices of a weight, as PEFT has them: `blocks.0.attn.qkv.lora_A.weight` and `..lora_B.weight`. */
export function adapterNames(weight: string): readonly [a: string, b: string] {
  const module = weight.replace(/\.weight$/, '')
  return [`${module}.lora_A.weight`, `${module}.lora_B.weight`]
}

/** Whether a name is that of a matrix of an adapter. */
export function isAdapterName(name: string): boolean {
  return /\.lora_[AB]\.weight$/.test(name)
}

/** The weight that a matrix adapts. */
export function adaptedName(name: string): string {
  return name.replace(/\.lora_[AB]\.weight$/, '.weight')
}

/**
 * Names and shapes of what is trained: of each adapted weight `[out, in]` the matrices A, `[rank, in]`, and B, `[out, rank]`, and what is
 * trained in full, which wins where a name is both. Tables that are looked up and weights of more than two axes are not adapted.
 *
 * @param shapes of the network's parameters
 * @throws RangeError for a rank or alpha that cannot be, for a rank larger than a weight, and where nothing is adapted
 *
 * Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1.
 */
export function adapterShapes(
  shapes: Readonly<Record<string, Shape>>,
  { rank, alpha, match, trained }: LowRank,
): Record<string, Shape> {
  if (!Number.isSafeInteger(rank) || rank < 1) {
    throw new RangeError(`adapterShapes: rank must be a positive integer (got ${rank})`)
  }
  if (!(alpha > 0 && alpha < Infinity)) throw new RangeError(`adapterShapes: alpha must be above 0 (got ${alpha})`)
  const [targets, full] = [new RegExp(match), trained === null ? null : new RegExp(trained)]
  const result: Record<string, Shape> = {}
  let adapted = 0
  for (const [name, shape] of Object.entries(shapes)) {
    if (full?.test(name) === true) result[name] = shape
    else if (targets.test(name) && isMatrix(name, shape)) {
      const [a, b] = adapterNames(name)
      const [rows, columns] = shape
      if (rank > Math.min(rows, columns)) {
        throw new RangeError(
          `adapterShapes: rank must be at most ${Math.min(rows, columns)}, the smaller side of ${name} (got ${rank})`,
        )
      }
      result[a] = [rank, columns]
      result[b] = [rows, rank]
      adapted++
    }
  }
  if (adapted === 0) throw new RangeError(`adapterShapes: no weight of a linear layer matches ${match}`)
  return result
}

function isMatrix(name: string, shape: Shape): boolean {
  return shape.length === 2 && name.endsWith('.weight') && !name.endsWith('embedding_table.weight')
}
