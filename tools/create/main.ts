// npm run create -- <folder> [options]: `npm create dit` from this clone, with its packages packed, until they are published.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAll } from '../release/pack.js'
import { run } from '../release/run.js'
import { closure, readPackages, repositoryRoot } from '../release/workspace.js'

const args = process.argv.slice(2)
const work = mkdtempSync(join(tmpdir(), 'dit-create-'))
try {
  process.exitCode = await create()
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function create(): Promise<number> {
  process.stdout.write('building what has changed\n')
  const build = await run('npm', ['run', '--silent', 'build'], { cwd: repositoryRoot, seconds: 1200 })
  if (build.code !== 0) {
    process.stderr.write(`create: the clone does not build\n${build.stdout}${build.stderr}`)
    return 1
  }
  const all = readPackages()
  const { folder, manifest } = all.find(({ name }) => name === 'create-dit')!
  const needed = new Map(
    Object.keys(manifest.devDependencies ?? {})
      .flatMap((name) => closure(all, name))
      .map((item) => [item.name, item]),
  )
  process.stdout.write(`packing ${needed.size} packages\n`)
  await packAll(repositoryRoot, [...needed.values()], work)

  const { runCreate } = (await import(join(folder, 'dist', 'run-create.js'))) as {
    readonly runCreate: (args: readonly string[], io: object) => Promise<number>
  }
  const cwd = process.env['INIT_CWD'] ?? process.cwd() // npm starts scripts in the clone
  const io = { cwd, input: process.stdin, output: process.stdout, errors: process.stderr }
  return runCreate([...args, '--packages', work], io)
}
