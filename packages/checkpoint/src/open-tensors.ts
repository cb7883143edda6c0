import { readExactly, type ByteSource } from './byte-source.js'
import type { FileTree } from './file-tree.js'
import { detectFormat } from './format.js'
import { openSafetensors } from './safetensors/read.js'
import { openShards } from './shards/open.js'
import type { TensorFile } from './tensor-file.js'
import { failFor } from './torch/error.js'
import { openTorch } from './torch/open.js'
import { torchTensors } from './torch/state-dict.js'

/** Named tensors, open until they are closed. */
export interface OpenTensorFile extends TensorFile {
  /** Closes the files; harmless when repeated. Tensors that were read stay valid. */
  close(): Promise<void>
}

/** The format of a source of weights by its first bytes; null where it is neither. */
export async function sniffSource(source: ByteSource): Promise<'safetensors' | 'torch' | null> {
  return detectFormat(await readExactly(source, 0, Math.min(16, source.size), failFor(source.name)))
}

/**
 * Opens named tensors in whatever format they are: safetensors, or a state dict that torch saved. The content tells, not the name.
 *
 * @throws SafetensorsError or TorchError on anything that the format does not allow; TorchError where a `.pt` file is no state dict
 */
export async function openTensors(source: ByteSource): Promise<TensorFile> {
  if ((await sniffSource(source)) === 'torch') return torchTensors(await openTorch(source))
  return openSafetensors(source)
}

/**
 * Opens named tensors of a folder: a file as `openTensors` takes it, or the index (`.json`) of several beside it.
 *
 * @throws RangeError where there is no such file; else as `openTensors` and `openShards`. The files are then closed again
 */
export async function openTensorsIn(tree: FileTree, path: string): Promise<OpenTensorFile> {
  if (!path.endsWith('.json')) return openOneIn(tree, path)
  const index = await openIn(tree, path)
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  try {
    return await openShards(index, (name) => openOneIn(tree, folder + name))
  } finally {
    await index.close?.()
  }
}

/** Opens one file of tensors, no index of several. */
async function openOneIn(tree: FileTree, path: string): Promise<OpenTensorFile> {
  const source = await openIn(tree, path)
  const close = async () => source.close?.()
  try {
    return { ...(await openTensors(source)), close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * A file that must be there.
 *
 * @throws RangeError where it is not
 */
export async function openIn(tree: FileTree, path: string) {
  const source = await tree.open(path)
  if (source === null) throw new RangeError(`${tree.place(path)}: there is no such file`)
  return source
}
