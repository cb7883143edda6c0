/** A mistake of whoever called, or a folder that cannot be written: shown without a stack trace. */
export class CreateError extends Error {
  override readonly name = 'CreateError'
}
