import { join } from 'node:path'
import { openNpzDraft } from '../../src/node/index.js'

/** Elements of `arr_0`: more bytes than 32 bits can count. */
export const count = 2 ** 32 + 5

/** Writes an archive beyond 4 GiB, most of which takes no room on the disk; returns its path. */
export async function writeLarge(folder: string): Promise<string> {
  const path = join(folder, 'large.npz')
  const draft = await openNpzDraft(path, {
    arr_0: { dtype: 'U8', shape: [count] },
    arr_1: { dtype: 'I64', shape: [2] },
  })
  await draft.write('arr_0', count - 3, Uint8Array.of(1, 2, 3))
  await draft.write('arr_1', 0, BigInt64Array.of(7n, 8n))
  await draft.finish()
  return path
}
