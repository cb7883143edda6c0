import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Tarball } from './pack.js'
import { run } from './run.js'

/** Names of the templates of create-dit. */
export const CREATED = ['node', 'vite', 'train'] as const

/** What a user of a template runs, in order, made short; and what must then be there. */
const STEPS: Readonly<Record<(typeof CREATED)[number], { commands: readonly string[][]; made: readonly string[] }>> = {
  node: {
    commands: [['run', 'typecheck'], ['start']],
    made: ['shapes.safetensors', 'pictures/disc.png', 'pictures/crescent.png'],
  },
  vite: {
    commands: [
      ['run', 'typecheck'],
      ['run', 'train', '--', '--steps', '20'],
      ['run', 'build'],
    ],
    made: ['public/model.safetensors', 'dist/index.html', 'dist/model.safetensors'],
  },
  train: {
    commands: [
      ['run', 'typecheck'],
      ['run', 'example-pictures'],
      ['run', 'train', '--', '--steps', '10', '--sample-every', 'none', '--decay', 'constant'],
      ['run', 'resume', '--', '--steps', '15'],
      ['run', 'sample', '--', '--count', '1', '--steps', '4'],
      ['run', 'eval', '--', '--count', '50', '--steps', '4'],
      ['run', 'plot'],
    ],
    made: ['pictures/fish', 'runs/pictures/checkpoints', 'runs/pictures/report.html', 'samples.png'],
  },
}

const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=1', '--loglevel=error']

/**
 * Follows a new user of `npm create dit` with packed packages: installs create-dit in an empty folder, makes a project with it, installs
 * that, and runs its scripts.
 *
 * @param tarballs all packages, packed into one folder
 * @param work     a folder that does not exist yet
 * @returns what went wrong, at most one entry
 */
export async function createdProblems(
  tarballs: ReadonlyMap<string, Tarball>,
  template: (typeof CREATED)[number],
  work: string,
): Promise<string[]> {
  const packed = tarballs.get('create-dit')
  if (packed === undefined) return ['create-dit was not packed']
  mkdirSync(work, { recursive: true })
  writeFileSync(
    join(work, 'package.json'),
    JSON.stringify({ private: true, dependencies: { 'create-dit': packed.path } }),
  )
  const project = join(work, 'my-app')
  const made = ['exec', '--offline', '--', 'create-dit', 'my-app', '--template', template]
  const steps: readonly [cwd: string, args: readonly string[]][] = [
    [work, INSTALL],
    [work, [...made, '--packages', dirname(packed.path)]],
    [project, INSTALL],
    ...STEPS[template].commands.map((args): [string, string[]] => [project, args]),
  ]
  for (const [cwd, args] of steps) {
    const { code, stdout, stderr } = await run('npm', args, { cwd, seconds: 500 })
    if (code !== 0) return [`npm ${args.join(' ')} ended with exit code ${code}\n${stdout}${stderr}`.trimEnd()]
  }
  const missing = STEPS[template].made.filter((path) => !existsSync(join(project, path)))
  return missing.length === 0
    ? []
    : [`${missing.join(', ')} was not made (there is ${readdirSync(project).join(', ')})`]
}
