import { builtinModules } from 'node:module'

/**
 * What npm would not accept in the name of a new package, or null.
 *
 * The rules are npm's: https://docs.npmjs.com/cli/configuring-npm/package-json#name
 */
export function nameProblem(name: string): string | null {
  const bare = name.startsWith('@') && name.includes('/') ? name.slice(name.indexOf('/') + 1) : name
  if (bare === '') return 'must not be empty'
  if (name.length > 214) return 'must have at most 214 characters'
  if (name !== name.toLowerCase()) return 'must be in lower case'
  if (/^[._]/.test(bare)) return 'must not start with a dot or an underscore'
  if (!/^(@[a-z\d][\w.-]*\/)?[\w.-]+$/.test(name)) return 'may have only letters a to z, digits, - . and _'
  if (['node_modules', 'favicon.ico'].includes(bare)) return 'must not be a name that npm keeps for itself'
  if (builtinModules.includes(name)) return 'must not be the name of a module of Node'
  return null
}

/** A name that npm would accept, as near to `name` as that goes. */
export function suggestName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z\d.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 214)
  return plain === '' || nameProblem(plain) !== null ? 'my-dit-app' : plain
}
