import { join } from 'node:path'
import { findWeights } from '../weights-files.js'
import { folderTree } from './folder-tree.js'

/**
 * The file of weights in a folder as diffusers and transformers save it, or the index where there are several: the first that is
 * there of `WEIGHTS_FILES`; null where there is none.
 */
export async function findWeightsFile(folder: string): Promise<string | null> {
  const found = await findWeights(folderTree(folder))
  return found === null ? null : join(folder, found)
}
