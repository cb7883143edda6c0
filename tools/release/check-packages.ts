// npm run check:packages [-- <name> ...]: are the packages fit to be published, and does each work on its own?
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installed } from './installed.js'
import { layoutProblems } from './layout.js'
import { packAll } from './pack.js'
import { pickAndMixProblems } from './pick-and-mix.js'
import { publishable, readPackages, repositoryRoot, type Package } from './workspace.js'

const all = publishable(readPackages())
const wanted = process.argv.slice(2).map((name) => (isKnown(name) ? name : `@dit/${name}`))
const unknown = wanted.filter((name) => !all.some((item) => item.name === name))

if (unknown.length > 0) {
  process.stderr.write(`check:packages: ${unknown.join(', ')}: no such package to publish\n`)
  process.exitCode = 2
} else {
  const selected = wanted.length === 0 ? all : all.filter(({ name }) => wanted.includes(name))
  const numFailed = selected.length === 0 ? 0 : await check(selected)
  process.stdout.write(`check:packages: ${selected.length - numFailed} of ${selected.length} packages are sound\n`)
  process.exitCode = numFailed === 0 ? 0 : 1
}

function isKnown(name: string): boolean {
  return all.some((item) => item.name === name)
}

async function check(selected: readonly Package[]): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'dit-packages-'))
  try {
    const needed = new Set(selected.flatMap((item) => installed(all, item)))
    const tarballs = await packAll(repositoryRoot, [...needed], join(work, 'tarballs'))
    const queue = [...selected]
    let numFailed = 0
    const worker = async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        const start = performance.now()
        const project = join(work, item.name.replace('/', '-'))
        const problems = [
          ...(await layoutProblems(repositoryRoot, item, tarballs.get(item.name)!)),
          ...(await pickAndMixProblems(item, all, tarballs, project)),
        ]
        rmSync(project, { recursive: true, force: true })
        if (problems.length > 0) numFailed++
        report(item, problems, performance.now() - start)
      }
    }
    await Promise.all([worker(), worker()]) // two at a time: an installation waits more than it computes
    return numFailed
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function report({ name }: Package, problems: readonly string[], milliseconds: number): void {
  const mark = problems.length === 0 ? 'ok  ' : 'FAIL'
  const lines = problems.map((problem) => `     ${problem.replaceAll('\n', '\n       ')}\n`)
  process.stdout.write(`${mark} ${name} (${(milliseconds / 1000).toFixed(1)} s)\n${lines.join('')}`)
}
