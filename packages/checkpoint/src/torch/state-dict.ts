import { quote } from '../quote.js'
import { float32Reader, type TensorFile } from '../tensor-file.js'
import { failFor } from './error.js'
import type { TorchFile } from './open.js'
import { TorchTensor, type TorchValue } from './value.js'

/**
 * A dict of a `.pt` file, such as a state dict, as named tensors. Entries that are no tensors are left out.
 *
 *     const weights = torchTensors(file, file.value.get('ema'))
 *
 * @param dict one of the dicts in `file.value`, by default that itself
 * @throws TorchError when `dict` is no dict
 */
export function torchTensors(file: TorchFile, dict: TorchValue = file.value): TensorFile<TorchTensor> {
  const fail = failFor(undefined)
  if (!(dict instanceof Map)) throw fail('a state dict must be a dict')
  const entries = new Map<string, TorchTensor>()
  for (const [name, value] of dict as ReadonlyMap<unknown, unknown>) {
    if (value instanceof TorchTensor) entries.set(String(name), value)
  }
  async function tensor(name: string) {
    const entry = entries.get(name)
    if (entry === undefined) throw fail(`there is no tensor ${quote(name)} among the ${entries.size}`)
    return file.tensor(entry)
  }
  return { entries, metadata: file.metadata, tensor, float32: float32Reader({ entries, tensor }) }
}
