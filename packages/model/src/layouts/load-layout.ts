import type { TensorFile } from '@dit/checkpoint'
import type { LayoutReaders, ModelWeights, ReadLayoutOptions } from './model-weights.js'
import { readerFor, readWeights } from './read-weights.js'

/**
 * `readLayout` for pages: what reads diffusers' names and files of other programs is loaded only for a file that needs it.
 *
 * @throws as `readLayout`
 */
export async function loadLayout(file: TensorFile, options: ReadLayoutOptions = {}): Promise<ModelWeights> {
  return readWeights(file, options, await readersFor(file))
}

async function readersFor(file: TensorFile): Promise<Partial<LayoutReaders>> {
  switch (readerFor(file)) {
    case 'diffusers':
      return { diffusers: (await import('./read-diffusers.js')).readDiffusers }
    case 'undescribed':
      return { undescribed: (await import('./read-undescribed.js')).readUndescribed }
    default:
      return {}
  }
}
