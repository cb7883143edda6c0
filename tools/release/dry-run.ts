// npm run release:dry: what would a release publish? Works in a temporary copy, needs no credentials, sends nothing.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.js'
import { versionedCopy } from './versioned-copy.js'
import type { Package } from './workspace.js'

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
  const { before, after, problems } = await versionedCopy(copy)
  const changed = after.filter(({ name, manifest }) => manifest.version !== versionOf(before, name))
  if (changed.length === 0) write('release:dry: no changeset waits; a release would publish nothing')
  for (const item of changed) problems.push(...(await publishProblems(copy, item, versionOf(before, item.name))))

  for (const problem of problems) write(`FAIL ${problem}`)
  write(`release:dry: ${changed.length} of ${after.length} packages would be published, ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
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
