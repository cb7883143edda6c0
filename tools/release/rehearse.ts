// npm run release:rehearse [-- <name> ...]: the release as its users would meet it, without publishing. In a temporary copy the packages get
// the versions of the release and are packed; each is installed alone in an empty folder, where its README and its commands are tried.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layoutProblems } from './layout.js'
import { packAll } from './pack.js'
import { pickAndMixProblems } from './pick-and-mix.js'
import { CREATED, createdProblems } from './try-created.js'
import { versionedCopy } from './versioned-copy.js'
import { repositoryRoot, type Package } from './workspace.js'

/** A line of the summary. */
interface Tried {
  readonly what: string
  readonly version: string
  readonly seconds: number
  readonly problems: readonly string[]
}

const work = mkdtempSync(join(tmpdir(), 'dit-rehearsal-'))
try {
  await rehearse(join(work, 'copy'), process.argv.slice(2))
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function rehearse(copy: string, names: readonly string[]): Promise<void> {
  const { before, after, problems } = await versionedCopy(copy)
  const versions = new Map(before.map(({ name, manifest }) => [name, manifest.version]))
  const known = new Set(after.map(({ name }) => name))
  const wanted = names.map((name) => (known.has(name) ? name : `@dit/${name}`))
  const unknown = wanted.filter((name) => !known.has(name))
  if (unknown.length > 0) {
    process.stderr.write(`release:rehearse: ${unknown.join(', ')}: no such package to publish\n`)
    process.exitCode = 2
    return
  }
  const chosen = after.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  const tarballs = await packAll(copy, after, join(work, 'tarballs'))
  const tried: Tried[] = [{ what: 'versions and ranges', version: '', seconds: 0, problems }]
  tell(tried[0])
  for (const item of chosen) {
    const { name, manifest } = item
    const version = `${versions.get(name)} -> ${manifest.version}`
    tried.push(await timed(name, version, () => tryPackage(item, after, tarballs)))
  }
  for (const { name, manifest } of chosen.filter((item) => item.name === 'create-dit')) {
    for (const template of CREATED) {
      const made = () => createdProblems(tarballs, template, join(work, `made-${template}`))
      tried.push(await timed(`${name}, template ${template}`, manifest.version, made))
    }
  }
  summarise(tried)
}

async function tryPackage(
  item: Package,
  all: readonly Package[],
  tarballs: Awaited<ReturnType<typeof packAll>>,
): Promise<string[]> {
  const project = join(work, item.name.replace('/', '-'))
  try {
    const layout = await layoutProblems(repositoryRoot, item, tarballs.get(item.name)!)
    return [...layout, ...(await pickAndMixProblems(item, all, tarballs, project))]
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}

async function timed(what: string, version: string, action: () => Promise<string[]>): Promise<Tried> {
  const start = performance.now()
  const problems = await action()
  const tried = { what, version, seconds: (performance.now() - start) / 1000, problems }
  tell(tried)
  return tried
}

function tell({ what, version, seconds, problems }: Tried): void {
  const mark = problems.length === 0 ? 'ok  ' : 'FAIL'
  process.stdout.write(`${mark} ${what} ${version} (${seconds.toFixed(1)} s)\n`)
  for (const problem of problems) process.stdout.write(`     ${problem.replaceAll('\n', '\n       ')}\n`)
}

function summarise(tried: readonly Tried[]): void {
  const width = Math.max(...tried.map(({ what }) => what.length))
  const rows = tried.map(({ what, version, seconds, problems }) => {
    const [first = 'ok'] = problems.map((problem) => problem.split('\n')[0])
    return `${what.padEnd(width)}  ${version.padEnd(14)}  ${seconds.toFixed(1).padStart(6)} s  ${first}`
  })
  const numFailed = tried.filter(({ problems }) => problems.length > 0).length
  process.stdout.write(`\n${rows.join('\n')}\nrelease:rehearse: ${tried.length - numFailed} of ${tried.length} sound\n`)
  process.exitCode = numFailed === 0 ? 0 : 1
}
