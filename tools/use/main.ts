// npm run use -- <project> [package ...]: installs packages of this clone in a project of yours, until they are published.
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { run } from '../release/run.js'
import { publishable, readPackages, repositoryRoot } from '../release/workspace.js'
import { installInto, readProject, startProject } from './install.js'
import { type Plan, planUse, readRequest, UseError } from './plan.js'

const cwd = process.env['INIT_CWD'] ?? process.cwd() // npm starts scripts in the clone
try {
  await use(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UseError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}

async function use(args: readonly string[]): Promise<void> {
  const { project, names } = readRequest(args, cwd)
  const manifest = readProject(project)
  const plan = planUse(publishable(readPackages()), names, manifest)
  process.stdout.write('building what has changed\n')
  const build = await run('npm', ['run', '--silent', 'build'], { cwd: repositoryRoot, seconds: 1200 })
  if (build.code !== 0) throw new UseError(`use: the clone does not build\n${build.stdout}${build.stderr}`.trimEnd())
  process.stdout.write(`packing ${plan.packages.length} packages\n`)
  if (manifest === null) startProject(project)
  await installInto(project, plan.packages)
  report(project, plan, manifest === null)
}

function report(project: string, { asked, refreshed, needed }: Plan, isNew: boolean): void {
  const place = relative(cwd, project) || '.'
  const [example] = [...asked, ...refreshed]
  const hasEngine = [...asked, ...refreshed, ...needed].some(
    (name) => name.startsWith('@dit/backend-') || name === '@dit/cli',
  )
  const lines = [
    '',
    `installed in ${place}: ${[...asked, ...refreshed].join(', ')}`,
    ...(needed.length > 0 ? [`with what they need: ${needed.join(', ')}`] : []),
    ...(isNew ? ['package.json is new: a private package of ES modules'] : []),
    '',
    'Next:',
    ...(asked.includes('@dit/cli') ? ['  there, run: npx dit --help'] : []),
    `  read ${join(place, 'node_modules', example, 'README.md')}: its example runs as pasted`,
    ...(hasEngine ? [] : [`  for speed add an engine: npm run use -- ${place} backend-cpu`]),
    `  after a change in this clone: npm run use -- ${place}`,
    '  package.json points at .dit-packages: keep that folder with the project',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  if (!existsSync(join(project, 'node_modules', example))) throw new Error(`use: npm left out ${example}`)
}
