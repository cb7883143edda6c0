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

/**
 * The file of weights in a folder as diffusers and transformers save it, or the index where there are several: the first that is
 * there of `WEIGHTS_FILES`; null where there is none.
 *
 * @param folder within the tree, with a slash at its end, or empty
 */
export async function findWeights(tree: FileTree, folder = ''): Promise<string | null> {
  for (const name of WEIGHTS_FILES) {
    const source = await tree.open(folder + name)
    if (source === null) continue
    await source.close?.()
    return folder + name
  }
  return null
}
