import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { installed } from '../tools/release/installed.js'
import { extractExample, extractExamples, trimOutput, typescriptBlocks, withoutTypes } from '../tools/release/readme.js'
import { run } from '../tools/release/run.js'
import { publishable, readPackages, repositoryRoot, type Package } from '../tools/release/workspace.js'
import { readText } from './sources.js'

// Needs a build and no network: the project is laid out by hand. `npm run check:packages` does the same with npm,
// from the packed tarballs and the registry.
const packages = publishable(readPackages())
const work = mkdtempSync(join(tmpdir(), 'dit-examples-'))
// Some thousand files, which a busy disk takes its time for.
afterAll(() => rmSync(work, { recursive: true, force: true }), 60_000)

const withModule = packages.filter(({ manifest }) => manifest.exports?.['.'] !== undefined)

test.each(withModule)(
  "the example in $name's README prints what it says, with no more of ours installed than its install line names",
  async (item) => {
    const readme = join(item.folder, 'README.md')
    expect(existsSync(readme), 'README.md is missing').toBe(true)
    const { before, code, output } = extractExample(readText(readme))
    const project = join(work, item.name.replace('/', '-'))
    for (const needed of installed(packages, item)) layOut(project, needed)

    let printed = ''
    for (const block of [...before, code]) {
      writeFileSync(join(project, 'example.mjs'), await withoutTypes(block))
      const finished = await run(process.execPath, ['example.mjs'], { cwd: project, seconds: 100 })
      expect(finished.code, finished.stderr).toBe(0)
      printed = finished.stdout
    }
    expect(trimOutput(printed)).toBe(trimOutput(output))
  },
)

const examplesOf = (page: string) => extractExamples(readText(join(repositoryRoot, 'docs', page)))
const cookbook = examplesOf('cookbook.md')

test('the cookbook has an entry for each part that can be replaced', () => {
  const parts = ['data set', 'sampler', 'schedule', 'objective', 'network', 'backend']
  expect(cookbook.map(({ heading }) => heading)).toEqual(
    parts.map((part) => expect.stringMatching(`^An? ${part} of your own$`)),
  )
})

test.each([
  { heading: 'the README of the repository', ...extractExample(readText(join(repositoryRoot, 'README.md'))) },
  ...cookbook,
  ...examplesOf('transparency.md'),
  ...examplesOf('conditions.md').slice(0, 1),
])('the example of $heading prints what it says', async ({ code, output }) => {
  // Where all packages resolve, and other tests do not look.
  const example = join(repositoryRoot, 'node_modules', '.cache', 'readme-example.mjs')
  mkdirSync(dirname(example), { recursive: true })
  writeFileSync(example, await withoutTypes(code))
  try {
    const finished = await run(process.execPath, [example], { cwd: repositoryRoot, seconds: 100 })
    expect(finished.code, finished.stderr).toBe(0)
    expect(trimOutput(finished.stdout)).toBe(trimOutput(output ?? ''))
  } finally {
    rmSync(example)
  }
})

test('every example of a README or a page of docs is TypeScript that compiles under strict, with the types that are published', async () => {
  // Where all packages resolve, and nothing looks for sources.
  const folder = join(repositoryRoot, 'node_modules', '.cache', 'readme-types')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const docs = join(repositoryRoot, 'docs')
  const readmes = [
    ['root', join(repositoryRoot, 'README.md')],
    ...readPackages().map(({ name, folder: of }) => [name.replace('/', '-'), join(of, 'README.md')]),
    ...readdirSync(docs).map((name) => [name, join(docs, name)]),
  ].filter(([, path]) => path.endsWith('.md') && existsSync(path))
  const blocks = readmes.flatMap(([name, path]) => {
    return typescriptBlocks(readText(path)).map((code, i) => [`${name}-${i}.ts`, code] as const)
  })
  expect(blocks.length).toBeGreaterThan(21)
  // A module each, whatever it imports.
  for (const [name, code] of blocks) writeFileSync(join(folder, name), `${code}\nexport {}\n`)
  const config = {
    extends: join(repositoryRoot, 'tsconfig.base.json'),
    compilerOptions: { noEmit: true, noUnusedLocals: false, noUnusedParameters: false },
    include: ['*.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc')
  const finished = await run(process.execPath, [tsc, '-p', folder], { cwd: repositoryRoot, seconds: 100 })
  expect(finished.stdout).toBe('')
  expect(finished.code).toBe(0)
})

/** Copies what a package ships of its build, and links the packages of others that it names. */
function layOut(project: string, { name, folder, manifest }: Package): void {
  if (!existsSync(join(folder, 'dist'))) throw new Error(`${name} is not built: run npm run build first`)
  const place = join(project, 'node_modules', name)
  mkdirSync(place, { recursive: true })
  for (const part of ['dist', 'package.json']) cpSync(join(folder, part), join(place, part), { recursive: true })

  const needs = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }
  for (const needed of Object.keys(needs).filter((other) => !other.startsWith('@dit/'))) {
    const installed = [folder, repositoryRoot].map((from) => join(from, 'node_modules', needed)).find(existsSync)
    const link = join(place, 'node_modules', needed)
    const linkOfProject = join(project, 'node_modules', needed) // an example may import a peer itself
    for (const path of installed === undefined ? [] : [link, linkOfProject]) {
      if (existsSync(path)) continue
      mkdirSync(dirname(path), { recursive: true })
      symlinkSync(installed!, path, 'junction')
    }
  }
}
