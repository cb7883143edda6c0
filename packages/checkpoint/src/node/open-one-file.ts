import { type OpenTensorFile, openTensors } from '../open-tensors.js'
import { openFileSource } from './file-source.js'

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
