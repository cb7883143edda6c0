import type { TensorFile } from '@dit/checkpoint'
import { sha256Of } from '@dit/checkpoint/web'

/**
 * SHA-256 of each tensor: over its name, shape and values as float32, so that it is the same in whatever file they are.
 *
 * @param names all by default
 */
export async function tensorDigests(
  file: TensorFile,
  names: Iterable<string> = file.entries.keys(),
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>()
  for (const name of names) {
    const { shape } = file.entries.get(name)!
    const head = new TextEncoder().encode(`${JSON.stringify([name, shape])}\n`)
    const values = await file.float32(name)
    const bytes = new Uint8Array(head.length + values.byteLength)
    bytes.set(head)
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), head.length)
    digests.set(name, await sha256Of(bytes))
  }
  return digests
}

/**
 * One SHA-256 for several tensors, whatever their order.
 *
 * @param digests as `tensorDigests` gives them
 */
export async function weightsDigest(digests: ReadonlyMap<string, string>): Promise<string> {
  const lines = [...digests].map(([name, digest]) => `${name} ${digest}\n`).toSorted()
  return sha256Of(new TextEncoder().encode(lines.join('')))
}
