// npm run release:dry: what would a release publish? Works in a temporary copy, needs no credentials, sends nothing.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { run, runOrThrow } from './run.js'
import { versionProblems } from './versions.js'
import { publishable, readPackages, repositoryRoot, type Package } from './workspace.js'

interface PublishReport {
  readonly name: string
  readonly version: string
  readonly size: number
  readonly files: readonly { readonly path: string; readonly size: number }[]
}

const work = mkdtempSync(join(tmpdir(), 'dit-release-'))
try {
  await dryRun(join(work, 'copy'))
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function dryRun(copy: string): Promise<void> {
  copyRepository(copy)
  const before = publishable(readPackages(copy))
  const askedMajors = new Set(readChangesets(copy).flatMap(namesAskedAsMajor))

  // `changeset version` as the release does it: bumps versions and ranges, writes changelogs, removes the changesets.
  const changeset = join(repositoryRoot, 'node_modules', '@changesets', 'cli', 'bin.js')
  await runOrThrow(process.execPath, [changeset, 'version'], { cwd: copy, env: { ...process.env, CI: 'true' } })

  const after = publishable(readPackages(copy))
  const problems = versionProblems(before, after, askedMajors)
  const changed = after.filter(({ name, manifest }) => manifest.version !== versionOf(before, name))
  if (changed.length === 0) write('release:dry: no changeset waits; a release would publish nothing')
  for (const item of changed) problems.push(...(await publishProblems(copy, item, versionOf(before, item.name))))

  for (const problem of problems) write(`FAIL ${problem}`)
  write(`release:dry: ${changed.length} of ${after.length} packages would be published, ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

// What is under version control or built; the tools come from the installed node_modules.
function copyRepository(copy: string): void {
  const anywhere = new Set(['node_modules', '.git', '.turbo'])
  const atRoot = new Set(['runs', 'coverage'].map((name) => join(repositoryRoot, name)))
  const filter = (path: string) => !anywhere.has(basename(path)) && !atRoot.has(path)
  cpSync(repositoryRoot, copy, { recursive: true, filter })
  symlinkSync(join(repositoryRoot, 'node_modules'), join(copy, 'node_modules'), 'junction')
}

function readChangesets(copy: string): string[] {
  const folder = join(copy, '.changeset')
  const names = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md')
  return names.map((name) => readFileSync(join(folder, name), 'utf8'))
}

function namesAskedAsMajor(changeset: string): string[] {
  return [...changeset.matchAll(/^['"]?(@dit\/[\w-]+)['"]?:\s*major\s*$/gm)].map(([, name]) => name)
}

function versionOf(packages: readonly Package[], name: string): string {
  return packages.find((item) => item.name === name)?.manifest.version ?? '0.0.0'
}

async function publishProblems(copy: string, { name, manifest }: Package, old: string): Promise<string[]> {
  // Without retries: nothing is asked of the registry that the dry run depends on.
  const args = ['publish', '--dry-run', '--json', '--fetch-retries=0', `--workspace=${name}`]
  const { code, stdout, stderr } = await run('npm', args, { cwd: copy })
  if (code !== 0) return [`${name}: npm publish --dry-run ended with exit code ${code}\n${stderr}`.trimEnd()]
  const parsed = JSON.parse(stdout) as PublishReport | Record<string, PublishReport>
  const report = 'files' in parsed ? (parsed as PublishReport) : parsed[name]
  write(`${name} ${old} -> ${manifest.version}: ${report.files.length} files, ${(report.size / 1024).toFixed(1)} KiB`)
  for (const { path, size } of report.files) write(`     ${path} (${size} B)`)
  const corrected = stderr.includes('auto-corrected') // npm would publish something other than what stands there
  return [
    ...(report.version === manifest.version ? [] : [`${name}: npm would publish ${report.version}`]),
    ...(corrected ? [`${name}: npm would correct its package.json\n${stderr}`.trimEnd()] : []),
  ]
}

function write(line: string): void {
  process.stdout.write(`${line}\n`)
}
