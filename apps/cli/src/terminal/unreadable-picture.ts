import { decoderReason } from '@dit/data/node'
import { UsageError } from './errors.js'

/**
 * The error for a picture that the decoder did not read.
 *
 * @param where its path, with the flag that gave it
 */
export function unreadablePicture(where: string, cause: unknown): UsageError {
  return new UsageError(`${where}: cannot be read as a picture (${decoderReason(cause)})`, { cause })
}
