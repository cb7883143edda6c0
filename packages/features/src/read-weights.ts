import { type ByteSource, bytesSource, openTensors, type TensorFile } from '@dit/checkpoint'
import { sha256Of } from '@dit/checkpoint/web'

/** Named tensors of a file that fits into memory, with the SHA-256 of its bytes. */
export interface Weights {
  readonly file: TensorFile
  readonly sha256: string
}

/**
 * Reads a whole file of weights: safetensors, or what torch saved.
 *
 * @throws SafetensorsError or TorchError for a file that is neither, or damaged
 */
export async function readWeights(source: Uint8Array | ByteSource): Promise<Weights> {
  const bytes = await wholeFile(source)
  const name = source instanceof Uint8Array ? undefined : source.name
  return { sha256: await sha256Of(bytes), file: await openTensors(bytesSource(bytes, name)) }
}

/** Bytes as a source with a name, which is read without copies. */
export function namedBytes(bytes: Uint8Array<ArrayBuffer>, name: string | undefined): ByteSource {
  const read = async (start: number, end: number) => bytes.subarray(start, end)
  return { size: bytes.length, ...(name === undefined ? {} : { name }), read }
}

/** The bytes of a file. */
export async function wholeFile(source: Uint8Array | ByteSource): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = source instanceof Uint8Array ? source : await source.read(0, source.size)
  // A digest needs memory that nobody shares.
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}
