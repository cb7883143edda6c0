/** A file is not safetensors, or breaks the format. The text names the file where known, the tensor, and what is wrong. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError'
}

/** Makes the error for one problem; carries the name of the file that is being read. */
export type Fail = (problem: string) => SafetensorsError

export function failFor(sourceName: string | undefined): Fail {
  const prefix = sourceName === undefined ? 'safetensors' : `safetensors ${sourceName}`
  return (problem) => new SafetensorsError(`${prefix}: ${problem}`)
}
