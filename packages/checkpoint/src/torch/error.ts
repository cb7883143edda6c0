/**
 * A file is not one that torch saved, or breaks the format, or asks for something that is never built from a file. The text names
 * the file where known, and what is wrong or was asked for.
 */
export class TorchError extends Error {
  override readonly name = 'TorchError'
}

/** Makes the error for one problem; carries the name of the file that is being read. */
export type Fail = (problem: string) => TorchError

export function failFor(sourceName: string | undefined): Fail {
  const prefix = sourceName === undefined ? 'torch file' : `torch file ${sourceName}`
  return (problem) => new TorchError(`${prefix}: ${problem}`)
}
