/** Fields of a `scheduler_config.json` of diffusers. */
export type Fields = Readonly<Record<string, unknown>>

const MINUS_INFINITY = /(:\s*)-Infinity(\s*[,}])/g

/**
 * @param json the file parsed, or its text: Python writes -Infinity there, which JSON.parse refuses
 * @throws RangeError when the text is not JSON, TypeError when it is no object
 */
export function fieldsOf(json: unknown): Fields {
  const parsed = typeof json === 'string' ? parse(json) : json
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new TypeError(`scheduler_config.json: must be an object (got ${JSON.stringify(parsed)})`)
  }
  return parsed as Fields
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.replaceAll(MINUS_INFINITY, '$1null$2'))
  } catch (cause) {
    throw new RangeError('scheduler_config.json: must be JSON', { cause })
  }
}

/** A field that is one of these values, the first of which is its default. */
export function requireOneOf<T>(fields: Fields, name: string, allowed: readonly T[]): T {
  const value = fields[name] ?? allowed[0]
  if (value === undefined) return allowed[0]
  if (!(allowed as readonly unknown[]).includes(value)) {
    const rule = allowed.length === 0 ? 'left out' : allowed.map((each) => JSON.stringify(each)).join(' or ')
    throw new RangeError(`scheduler_config.json: ${name} must be ${rule} (got ${JSON.stringify(value)})`)
  }
  return value as T
}

export function number(fields: Fields, name: string, fallback: number): number {
  const value = fields[name] ?? fallback
  if (typeof value !== 'number') {
    throw new TypeError(`scheduler_config.json: ${name} must be a number (got ${JSON.stringify(value)})`)
  }
  return value
}

export function flag(fields: Fields, name: string, fallback: boolean): boolean {
  const value = fields[name] ?? fallback
  if (typeof value !== 'boolean') {
    throw new TypeError(`scheduler_config.json: ${name} must be true or false (got ${JSON.stringify(value)})`)
  }
  return value
}
