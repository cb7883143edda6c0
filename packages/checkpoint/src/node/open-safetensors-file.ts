import { openSafetensors, type SafetensorsFile } from '../safetensors/read.js'
import { openFileSource } from './file-source.js'

/** A safetensors file on disk, open until it is closed. */
export interface OpenSafetensorsFile extends SafetensorsFile {
  /** Closes the file; harmless when repeated. Tensors that were read stay valid. */
  close(): Promise<void>
}

/**
 * Opens a safetensors file on disk. Reads its header; each tensor is read when asked for.
 *
 *     const file = await openSafetensorsFile('model.safetensors')
 *     const weights = await file.float32('pos_embed')
 *     await file.close()
 *
 * @throws SafetensorsError on anything the format does not allow; the file is then closed again
 * @throws Error with a `code` from the operating system when the file cannot be opened
 * @throws TypeError when the path is not a file
 */
export async function openSafetensorsFile(path: string): Promise<OpenSafetensorsFile> {
  const source = await openFileSource(path)
  try {
    return { ...(await openSafetensors(source)), close: () => source.close() }
  } catch (error) {
    await source.close()
    throw error
  }
}
