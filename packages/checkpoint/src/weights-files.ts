import type { FileTree } from './file-tree.js'

/** What folders call their weights: diffusers, then others. */
const NAMES = ['diffusion_pytorch_model', 'model', 'pytorch_model']

/** Whole, then in shards; safetensors, then pickles; as they are, then the variant in half precision that diffusers can save. */
const ENDINGS = ['', '.fp16'].flatMap((variant) =>
  ['safetensors', 'bin'].flatMap((kind) => [
    `${variant}.${kind}`,
    `${variant}.${kind}.index.json`,
    ...(variant === '' ? [] : [`.${kind}.index${variant}.json`]),
  ]),
)

/** Every name by which weights are found in a folder, in the order in which they are looked for. */
export const WEIGHTS_FILES: readonly string[] = NAMES.flatMap((name) => ENDINGS.map((ending) => name + ending))

/** Variants that are looked for where a folder cannot be listed; `fp16` is among `WEIGHTS_FILES`. */
const VARIANTS = ['bf16', 'fp32', 'ema', 'non_ema']

/** Names with a variant, as diffusers saves them. */
const OF_A_VARIANT = new RegExp(
  `^(?:${NAMES.join('|')})(?:\\.([\\w-]+)\\.(?:safetensors|bin)(?:\\.index\\.json)?|\\.(?:safetensors|bin)\\.index\\.([\\w-]+)\\.json)$`,
)

/**
 * The file of weights in a folder as diffusers and transformers save it, or the index where there are several: the first that is
 * there of `WEIGHTS_FILES`, else that of the only other variant; null where there is none.
 *
 * @param folder within the tree, with a slash at its end, or empty
 * @throws RangeError where there are several other variants
 */
export async function findWeights(tree: FileTree, folder = ''): Promise<string | null> {
  const usual = await firstOf(tree, folder, WEIGHTS_FILES)
  if (usual !== null) return usual
  if (tree.list === undefined) {
    return firstOf(
      tree,
      folder,
      NAMES.flatMap((name) => VARIANTS.map((variant) => `${name}.${variant}.safetensors`)),
    )
  }
  const found = new Map<string, string>()
  for (const name of [...(await tree.list(folder))].toSorted()) {
    const parts = OF_A_VARIANT.exec(name)
    const variant = parts?.[1] ?? parts?.[2]
    // An index before its parts, safetensors before pickles.
    if (variant === undefined || variant === 'index' || /-\d{5}-of-/.test(name)) continue
    const before = found.get(variant)
    if (before === undefined || name.endsWith('.json') || (!before.endsWith('.json') && before.endsWith('.bin'))) {
      found.set(variant, name)
    }
  }
  if (found.size > 1) {
    throw new RangeError(
      `${tree.place(folder)}: there are several variants of the weights (${[...found.keys()].join(', ')}); give the file of one: ${[...found.values()].join(' or ')}`,
    )
  }
  const [only] = found.values()
  return only === undefined ? null : folder + only
}

async function firstOf(tree: FileTree, folder: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    const source = await tree.open(folder + name)
    if (source === null) continue
    await source.close?.()
    return folder + name
  }
  return null
}
