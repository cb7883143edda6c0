import type { ByteSource } from '../byte-source.js'
import type { StoredArray } from '../dtype.js'
import { checkValue } from './check-value.js'
import type { Fail } from './error.js'
import { openLegacy } from './legacy-file.js'
import type { TorchFile } from './open.js'
import { readTensor } from './read-tensor.js'
import type { TorchTensor } from './value.js'
import { openZip } from './zip-file.js'

/** Opens what `torch.save` has written: an archive, or the pickles in a row that came before. */
export async function openSaved(source: ByteSource, kind: 'zip' | 'legacy', fail: Fail): Promise<TorchFile> {
  const {
    value: built,
    placeholders,
    metadata,
    isBigEndian,
    storage,
  } = await (kind === 'zip' ? openZip : openLegacy)(source, fail)
  const value = checkValue(built, source.size, fail)

  async function tensor(tensor: TorchTensor): Promise<StoredArray> {
    const array = await readTensor(tensor, storage(tensor.storage), isBigEndian)
    if (array.dtype === 'BOOL') {
      const odd = array.data.find((value) => value > 1)
      if (odd !== undefined) throw fail(`a BOOL must be stored as 0 or 1 (${odd})`)
    }
    return array
  }
  return { value, placeholders, metadata, tensor }
}
