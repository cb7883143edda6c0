import type { Tensor } from '@dit/tensor'
import { type Communicator, CommunicationError } from '../communicator/communicator.js'

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
    const data = await segment.data()
    const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4)
    // FNV-1a over words.
    for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193)
  }
  const hashes = new Float64Array(size)
  hashes[rank] = hash >>> 0
  await communicator.allReduce(hashes).wait()
  const different = Array.from(hashes.keys()).filter((of) => hashes[of] !== hashes[0])
  if (different.length > 0) {
    throw new CommunicationError(
      `rank ${different.join(', ')} has other parameters than rank 0: an engine or a transfer is at fault`,
    )
  }
}
