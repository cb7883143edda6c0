import type { SentError } from './messages.js'

/** Errors that a cause may have below it, so that a ring of causes ends. */
const MAX_DEPTH = 5

/** What of an error can be sent: name, text, stack, plain fields and causes. */
export function sendError(thrown: unknown, depth = 0): SentError {
  if (!(thrown instanceof Error) && !(globalThis.DOMException !== undefined && thrown instanceof DOMException)) {
    return { name: 'Error', message: String(thrown), stack: undefined, fields: {}, cause: null }
  }
  const { name, message, stack, cause } = thrown as Error
  const fields: Record<string, string | number | boolean | null> = {}
  for (const [key, value] of Object.entries(thrown)) {
    const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value)
    if (isPlain && !['name', 'message', 'stack'].includes(key)) fields[key] = value as string | number | boolean | null
  }
  const isDeep = cause === undefined || cause === null || depth >= MAX_DEPTH
  return { name, message, stack, fields, cause: isDeep ? null : sendError(cause, depth + 1) }
}

/** The built-in types by what errors of dit extend. */
const TYPES: Readonly<Record<string, new (message: string, options?: ErrorOptions) => Error>> = {
  OptionError: RangeError,
  RangeError,
  TypeError,
  SyntaxError,
}

/** An error with the name, text and fields of the one that was sent. It is no instance of its class: ask for the `name`. */
export function receiveError({ name, message, stack, fields, cause }: SentError): Error {
  const Type = TYPES[name] ?? Error
  const error = new Type(message, cause === null ? {} : { cause: receiveError(cause) })
  for (const [key, value] of Object.entries({ name, ...fields })) {
    Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: key !== 'name' })
  }
  if (stack !== undefined) error.stack = stack
  return error
}
