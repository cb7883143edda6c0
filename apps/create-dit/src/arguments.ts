import { parseArgs } from 'node:util'
import { CreateError } from './create-error.js'
import { TEMPLATES } from './templates.js'

/** What the command line asks for; null where it says nothing. */
export interface Request {
  readonly folder: string | null
  readonly template: string | null
  readonly name: string | null
  /** A folder of packed tarballs to install dit's packages from. */
  readonly packages: string | null
  readonly help: boolean
  readonly version: boolean
}

const OPTIONS = {
  template: { type: 'string', short: 't' },
  name: { type: 'string' },
  packages: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/** The help, and what errors end with. */
export const USAGE = `Usage: npm create dit [folder] -- [options]

Makes a project with dit in a new or empty folder.

  -t, --template <name>  ${TEMPLATES.map(({ name }) => name).join(', ')}
      --name <name>      name in package.json (default: that of the folder)
      --packages <path>  install dit's packages from a folder of packed tarballs, not from the registry
  -h, --help             show this
  -v, --version          show the version of create-dit

Templates:
${TEMPLATES.map(({ name, title }) => `  ${name.padEnd(6)} ${title}`).join('\n')}

Without a folder or a template it asks, if it runs in a terminal.`

/**
 * Reads the command line.
 *
 * @throws CreateError for an option that does not exist, one without its value, one given twice, and a second folder
 */
export function readArguments(args: readonly string[]): Request {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const seen = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    if (!Object.hasOwn(OPTIONS, name)) {
      const known = Object.keys(OPTIONS).map((one) => `--${one}`)
      throw new CreateError(`create-dit: the options are ${known.join(', ')} (got ${rawName})`)
    }
    const takesValue = OPTIONS[name as keyof typeof OPTIONS].type === 'string'
    if (takesValue && (value === undefined || value === '' || (!token.inlineValue && value.startsWith('-')))) {
      throw new CreateError(`create-dit: ${rawName} needs a value (got ${value === undefined ? 'none' : `'${value}'`})`)
    }
    if (!takesValue && value !== undefined)
      throw new CreateError(`create-dit: ${rawName} takes no value (got ${value})`)
    if (seen.has(name)) throw new CreateError(`create-dit: --${name} may be given once (got it again)`)
    seen.add(name)
  }
  if (positionals.length > 1) {
    throw new CreateError(
      `create-dit: one folder may be given (got ${positionals.join(' ')}); ` +
        'npm passes options on only after --, as in: npm create dit my-app -- --template vite',
    )
  }
  const text = (value: string | boolean | undefined) => (typeof value === 'string' ? value : null)
  return {
    folder: positionals[0] ?? null,
    template: text(values.template),
    name: text(values.name),
    packages: text(values.packages),
    help: values.help === true,
    version: values.version === true,
  }
}
