import { detectFormat } from '../format.js'
import { openFileSource } from './file-source.js'

/**
 * The format of a file of weights by its first bytes; null where it is neither.
 *
 * @throws Error with a `code` from the operating system when the file cannot be opened
 */
export async function sniffFile(path: string): Promise<'safetensors' | 'torch' | null> {
  const source = await openFileSource(path)
  try {
    return detectFormat(await source.read(0, Math.min(16, source.size)))
  } finally {
    await source.close()
  }
}
