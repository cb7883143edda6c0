import { CommunicationError, type Communicator, type Floats } from '@dit/collectives'
import { type Tensor, typedArray } from '@dit/tensor'
import { readElements } from './staging.js'

/** Elements that are copied to the host at once: a copy of all would be the peak of a worker's memory. */
const PIECE = 2 ** 20

/**
 * Checks that every worker has the same parameters, to the bit: they apply the same update to the same numbers, and only a
 * broken engine, memory or transfer makes them drift apart.
 *
 * @throws CommunicationError that names the ranks whose parameters are not those of rank 0
 */
export async function checkReplicas(communicator: Communicator, segments: readonly Tensor[]): Promise<void> {
  const { rank, size } = communicator
  if (size === 1) return
  let hash = 0x811c9dc5
  for (const segment of segments) {
    const { backend } = segment
    const most = backend.supportsViews ? Math.min(PIECE, segment.size) : segment.size
    const piece = typedArray(backend.float, most) as Floats
    for (let start = 0; start < segment.size; start += most) {
      const values = piece.subarray(0, Math.min(most, segment.size - start))
      await readElements(segment, start, values)
      const words = new Uint32Array(values.buffer, 0, values.byteLength / 4)
      // FNV-1a over words.
      for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193)
    }
  }
  const hashes = new Float64Array(size)
  hashes[rank] = hash >>> 0
  await communicator.allReduce(hashes).wait()
  const different = Array.from(hashes.keys()).filter((of) => hashes[of] !== hashes[0])
  if (different.length > 0) {
    throw new CommunicationError(
      `rank ${different.join(', ')} has different parameters from rank 0; an engine or a transfer is faulty`,
    )
  }
}
