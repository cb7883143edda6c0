import { stat } from 'node:fs/promises'
import { join } from 'node:path'

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

/** Every name that `findWeightsFile` knows, in the order in which it looks for them. */
export const WEIGHTS_FILES: readonly string[] = NAMES.flatMap((name) => ENDINGS.map((ending) => name + ending))

/**
 * The file of weights in a folder as diffusers and transformers save it, or the index where there are several: the first that is
 * there of `WEIGHTS_FILES`; null where there is none.
 */
export async function findWeightsFile(folder: string): Promise<string | null> {
  for (const name of WEIGHTS_FILES) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => null)
    if (found?.isFile() === true) return path
  }
  return null
}
