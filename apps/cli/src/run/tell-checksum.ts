import { countParameters, type DiTConfig } from '@dit/model'
import type { Output } from '../terminal/output.js'

/** Parameters whose checksum takes noticeable time. */
const MANY = 5e7

/** Says what is done before the checksum of a large network's weights. */
export function tellChecksum(network: DiTConfig, output: Output): void {
  if (countParameters(network).trainable > MANY) output.line('checking the weights')
}
