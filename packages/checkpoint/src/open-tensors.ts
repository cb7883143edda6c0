import type { ByteSource } from './byte-source.js'
import { readExactly } from './byte-source.js'
import { detectFormat } from './format.js'
import { openSafetensors } from './safetensors/read.js'
import type { TensorFile } from './tensor-file.js'
import { failFor } from './torch/error.js'
import { openTorch } from './torch/open.js'
import { torchTensors } from './torch/state-dict.js'

/**
 * Opens named tensors in whatever format they are: safetensors, or a state dict that torch saved. The content tells, not the name.
 *
 * @throws SafetensorsError or TorchError on anything that the format does not allow; TorchError where a `.pt` file is no state dict
 */
export async function openTensors(source: ByteSource): Promise<TensorFile> {
  const head = await readExactly(source, 0, Math.min(16, source.size), failFor(source.name))
  if (detectFormat(head) === 'torch') return torchTensors(await openTorch(source))
  return openSafetensors(source)
}
