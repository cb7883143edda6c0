import { readFileSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import { readArguments, type Request, USAGE } from './arguments.js'
import { ask, type Terminal } from './ask.js'
import { CreateError } from './create-error.js'
import { checkFolder, makeProject } from './make-project.js'
import { nameProblem, suggestName } from './package-name.js'
import { type Template, TEMPLATES } from './templates.js'

/** Where the command runs, and what it reads and writes. */
export interface CreateIo extends Terminal {
  readonly cwd: string
  readonly errors: { write(text: string): unknown }
}

/**
 * The command `create-dit`.
 *
 * @returns the exit code: 0; 2 for a mistake, with one message on `errors` and nothing written
 */
export async function runCreate(args: readonly string[], io: CreateIo): Promise<number> {
  try {
    const request = readArguments(args)
    if (request.help) io.output.write(`${USAGE}\n`)
    else if (request.version) io.output.write(`${version()}\n`)
    else await create(request, io)
    return 0
  } catch (error) {
    if (!(error instanceof CreateError)) throw error
    io.errors.write(`${error.message}\n`)
    return 2
  }
}

async function create(request: Request, io: CreateIo): Promise<void> {
  if (request.template !== null) templateNamed(request.template) // before anything is asked
  if (!io.input.isTTY && (request.folder === null || request.template === null)) {
    const missing = request.folder === null ? 'a folder' : 'a template'
    throw new CreateError(
      `create-dit: ${missing} must be given where it cannot ask (this is no terminal), ` +
        'as in: npm create dit my-app -- --template node',
    )
  }
  const asked = request.folder ?? (await ask(io, 'Folder of the project', 'my-dit-app'))
  const folder = resolve(io.cwd, asked)
  checkFolder(folder)
  const name = request.name ?? basename(folder)
  const problem = nameProblem(name)
  if (problem !== null) {
    const hint = request.name === null ? `; --name ${suggestName(name)} would do` : ''
    throw new CreateError(`create-dit: the project's name ${problem} (got '${name}')${hint}`)
  }
  const template = templateNamed(request.template ?? (await askTemplate(io)))
  const packages = request.packages === null ? null : resolve(io.cwd, request.packages)
  const files = makeProject({ folder, name, template: template.name, packages })
  io.output.write(report(relative(io.cwd, folder), template, files.length))
}

function templateNamed(name: string): Template {
  const found = TEMPLATES.find((template) => template.name === name)
  if (found !== undefined) return found
  const known = TEMPLATES.map((template) => template.name)
  throw new CreateError(
    `create-dit: --template must be ${known.slice(0, -1).join(', ')} or ${known.at(-1)} (got '${name}')`,
  )
}

async function askTemplate(io: CreateIo): Promise<string> {
  for (const [i, { name, title }] of TEMPLATES.entries()) io.output.write(`  ${i + 1}  ${name.padEnd(6)} ${title}\n`)
  const answer = await ask(io, 'Template, by name or number', '1')
  return TEMPLATES[Number(answer) - 1]?.name ?? answer
}

function report(place: string, { name, next }: Template, numFiles: number): string {
  const commands = [...(place === '' ? [] : [[`cd ${quoted(place)}`, '']]), ['npm install', ''], ...next]
  const width = Math.max(...commands.map(([command]) => command.length))
  const lines = commands.map(([command, what]) => `  ${what === '' ? command : `${command.padEnd(width)}   # ${what}`}`)
  return [
    `made ${place === '' ? 'here' : place}: the template ${name}, ${numFiles} files`,
    '',
    'Next:',
    ...lines,
    '',
  ].join('\n')
}

const quoted = (path: string) => (/^[\w./@-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
