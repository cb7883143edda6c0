import type { View } from '@dit/tensor'
import { isSameRange } from '../runtime/deferred.js'

/**
 * Which of the inputs is the very memory of the output: an element-wise kernel then reads it from there, because the device
 * does not let one dispatch bind memory for reading and for writing.
 */
export function aliasedInputs(inputs: readonly View[], out: View): readonly boolean[] {
  return inputs.map((input) => isSameRange(input, out))
}
