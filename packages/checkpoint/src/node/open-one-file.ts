import { openTensors } from '../open-tensors.js'
import type { TensorFile } from '../tensor-file.js'
import { openFileSource } from './file-source.js'

/** Named tensors on disk, open until they are closed. */
export interface OpenTensorFile extends TensorFile {
  /** Closes the file; harmless when repeated. Tensors that were read stay valid. */
  close(): Promise<void>
}

/** Opens one file of tensors, whatever its format; no index of several. */
export async function openOneFile(path: string): Promise<OpenTensorFile> {
  const source = await openFileSource(path)
  try {
    return { ...(await openTensors(source)), close: () => source.close() }
  } catch (error) {
    await source.close()
    throw error
  }
}
