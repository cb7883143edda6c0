import { openTorch, type TorchFile } from '../torch/open.js'
import { openFileSource } from './file-source.js'

/** A `.pt` file on disk, open until it is closed. */
export interface OpenTorchFile extends TorchFile {
  /** Closes the file; harmless when repeated. Tensors that were read stay valid. */
  close(): Promise<void>
}

/**
 * Opens a `.pt` file on disk. Reads its pickle; each tensor is read when asked for.
 *
 *     const file = await openTorchFile('DiT-XL-2-256x256.pt')
 *     const weights = torchTensors(file)
 *     const values = await weights.float32('pos_embed')
 *     await file.close()
 *
 * @throws TorchError as `openTorch` does; the file is then closed again
 * @throws Error with a `code` from the operating system when the file cannot be opened
 * @throws TypeError when the path is not a file
 */
export async function openTorchFile(path: string): Promise<OpenTorchFile> {
  const source = await openFileSource(path)
  try {
    return { ...(await openTorch(source)), close: () => source.close() }
  } catch (error) {
    await source.close()
    throw error
  }
}
