import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writing } from '../src/make-project.js'
import { runCreate } from '../src/run-create.js'
import { TEMPLATES } from '../src/templates.js'
import { writeTarball } from './write-tarball.js'

let cwd: string
beforeEach(() => (cwd = mkdtempSync(join(tmpdir(), 'create-dit-'))))
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

interface Manifest {
  readonly name: string
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

const readManifest = (path: string | URL) => JSON.parse(readFileSync(path, 'utf8')) as Manifest
const own = readManifest(new URL('../package.json', import.meta.url))
const templates = TEMPLATES.map(({ name }) => name)

/** Runs the command in `cwd`; `answers` are typed when the question comes, at a terminal. */
async function create(args: readonly string[], answers?: readonly string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: answers !== undefined })
  const output = new PassThrough()
  const waiting = [...(answers ?? [])]
  let printed = ''
  output.on('data', (text: Buffer) => {
    printed += text.toString()
    if (!text.toString().endsWith('): ')) return
    const answer = waiting.shift()
    if (answer === undefined) input.end()
    else input.write(`${answer}\n`)
  })
  let errors = ''
  const code = await runCreate(args, { cwd, input, output, errors: { write: (text: string) => (errors += text) } })
  return { code, printed, errors }
}

describe.each(templates)('the template %s', (template) => {
  test('becomes a project with its name, the versions of this create-dit, and scripts for all that is said next', async () => {
    const { code, printed, errors } = await create(['my-app', '--template', template])
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    const project = join(cwd, 'my-app')
    const manifest = readManifest(join(project, 'package.json'))
    expect(manifest.name).toBe('my-app')
    const needed = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    expect(needed.filter(([, range]) => !/^\^\d+\.\d+\.\d+$/.test(range))).toEqual([])
    const ours = needed.filter(([name]) => name.startsWith('@dit/'))
    expect(ours.filter(([name, range]) => range !== own.devDependencies[name])).toEqual([])
    const scripts = [...printed.matchAll(/npm (?:run )?(\S+)/g)].map(([, script]) => script)
    expect(scripts.filter((script) => script !== 'install' && !(script in manifest.scripts))).toEqual([])
    expect(readFileSync(join(project, '.gitignore'), 'utf8')).toContain('node_modules/')
    expect(readdirSync(project)).toEqual(expect.arrayContaining(['README.md', 'src', 'tsconfig.json']))
    expect(readdirSync(project)).not.toContain('_gitignore')
  })

  test('has a README that explains each of its scripts and names no other', () => {
    const folder = new URL(`../templates/${template}/`, import.meta.url)
    const { scripts } = readManifest(new URL('package.json', folder))
    const text = readFileSync(new URL('README.md', folder), 'utf8')
    const named = [...text.matchAll(/npm (?:run )?([a-z-]+)/g)].map(([, script]) => script)
    const ofNpm = ['install', 'create']
    expect(named.filter((name) => !ofNpm.includes(name) && !(name in scripts))).toEqual([])
    const silent = ['typecheck', 'preview']
    expect(Object.keys(scripts).filter((name) => !silent.includes(name) && !named.includes(name))).toEqual([])
  })
})

test('create-dit names the packages of its templates, and no other', () => {
  const needed = templates.flatMap((template) => {
    const manifest = readManifest(new URL(`../templates/${template}/package.json`, import.meta.url))
    return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
  })
  const ours = needed.filter(([name]) => name.startsWith('@dit/'))
  expect(new Set(ours.map(([name]) => name))).toEqual(new Set(Object.keys(own.devDependencies)))
  expect(ours.filter(([, range]) => range !== '*')).toEqual([])
})

test('takes packed packages, copies them into the project, and names there what they need', async () => {
  const packages = join(cwd, 'packed')
  mkdirSync(packages)
  for (const name of Object.keys(own.devDependencies)) {
    const file = `${name.slice(1).replace('/', '-')}-0.1.0.tgz`
    writeTarball(join(packages, file), { name, dependencies: { '@dit/random': '^0.1.0' } })
  }
  writeTarball(join(packages, 'dit-random-0.1.0.tgz'), { name: '@dit/random' })
  writeTarball(join(packages, 'dit-unet-0.1.0.tgz'), { name: '@dit/unet' })

  expect((await create(['my-app', '-t', 'vite', '--packages', 'packed'])).code).toBe(0)
  const project = join(cwd, 'my-app')
  const { dependencies, devDependencies } = readManifest(join(project, 'package.json'))
  expect(dependencies).toEqual({
    '@dit/backend-cpu': 'file:.dit-packages/dit-backend-cpu-0.1.0.tgz',
    '@dit/backend-webgpu': 'file:.dit-packages/dit-backend-webgpu-0.1.0.tgz',
    '@dit/pipeline': 'file:.dit-packages/dit-pipeline-0.1.0.tgz',
    '@dit/random': 'file:.dit-packages/dit-random-0.1.0.tgz',
    '@dit/tensor': 'file:.dit-packages/dit-tensor-0.1.0.tgz',
  })
  expect(devDependencies['@dit/cli']).toBe('file:.dit-packages/dit-cli-0.1.0.tgz')
  const named = Object.values({ ...dependencies, ...devDependencies }).filter((range) => range.startsWith('file:'))
  expect(
    readdirSync(join(project, '.dit-packages'))
      .map((file) => `file:.dit-packages/${file}`)
      .toSorted(),
  ).toEqual(named.toSorted())
})

test('asks for what is missing at a terminal; an empty answer takes what is offered', async () => {
  const first = await create([], ['drawing', '2'])
  expect(first).toMatchObject({ code: 0, errors: '' })
  expect(first.printed).toContain('Folder of the project (my-dit-app): ')
  expect(readManifest(join(cwd, 'drawing', 'package.json'))).toMatchObject({
    name: 'drawing',
    scripts: { dev: 'vite' },
  })
  expect((await create([], ['', ''])).code).toBe(0)
  expect(readManifest(join(cwd, 'my-dit-app', 'package.json')).scripts).toHaveProperty('start')
  expect((await create(['a'], ['train'])).code).toBe(0)
  expect(existsSync(join(cwd, 'a', 'config.json'))).toBe(true)
})

test('writes into the folder where it stands, and leaves a .git there alone', async () => {
  mkdirSync(join(cwd, 'here', '.git'), { recursive: true })
  cwd = join(cwd, 'here')
  const { code, printed } = await create(['.', '-t', 'node', '--name', '@me/drawing'])
  expect(code).toBe(0)
  expect(printed).not.toContain('cd ')
  expect(readdirSync(cwd)).toEqual(expect.arrayContaining(['.git', 'package.json']))
  expect(readManifest(join(cwd, 'package.json')).name).toBe('@me/drawing')
  cwd = join(cwd, '..')
})

test.each<[string, readonly string[], string]>([
  ['an unknown template', ['a', '-t', 'vue'], "create-dit: --template must be node, vite or train (got 'vue')"],
  [
    'a name that npm refuses',
    ['My App', '-t', 'node'],
    "create-dit: the project's name must be in lower case (got 'My App'); --name my-app would do",
  ],
  [
    'a given name that npm refuses',
    ['a', '-t', 'node', '--name', '.b'],
    "create-dit: the project's name must not start with a dot or an underscore (got '.b')",
  ],
  [
    'the name of a dependency',
    ['vite', '-t', 'vite'],
    "create-dit: the project's name must not be that of a package that it needs (got 'vite')",
  ],
  [
    'an unknown option',
    ['a', '--force'],
    'create-dit: the options are --template, --name, --packages, --help, --version (got --force)',
  ],
  ['an option without its value', ['a', '--template'], 'create-dit: --template needs a value (got none)'],
  ['an option for a value', ['a', '-t', '--name'], "create-dit: -t needs a value (got '--name')"],
  [
    'an option given twice',
    ['a', '-t', 'node', '-t', 'vite'],
    'create-dit: --template may be given once (got it again)',
  ],
  ['a value too many', ['a', '--help=yes'], 'create-dit: --help takes no value (got yes)'],
  [
    'options that npm kept',
    ['a', 'vite'],
    'create-dit: one folder may be given (got a vite); npm passes options on only after --, as in: npm create dit my-app -- --template vite',
  ],
  [
    'no folder and no terminal',
    ['-t', 'node'],
    'create-dit: a folder must be given where it cannot ask (this is no terminal), as in: npm create dit my-app -- --template node',
  ],
  [
    'no template and no terminal',
    ['a'],
    'create-dit: a template must be given where it cannot ask (this is no terminal), as in: npm create dit my-app -- --template node',
  ],
])('refuses %s with one message, and writes nothing', async (_, args, message) => {
  const { code, printed, errors } = await create(args)
  expect({ code, printed, errors }).toEqual({ code: 2, printed: '', errors: `${message}\n` })
  expect(readdirSync(cwd)).toEqual([])
})

test('refuses a folder that is not empty, a file, and a place below a file', async () => {
  for (const name of ['a', 'b', 'c', 'd']) {
    mkdirSync(join(cwd, 'full'), { recursive: true })
    writeFileSync(join(cwd, 'full', name), '')
  }
  writeFileSync(join(cwd, 'file'), '')
  const problem = async (folder: string) => (await create([folder, '-t', 'node'])).errors
  expect(await problem('full')).toBe(
    `create-dit: the folder must be new or empty (${join(cwd, 'full')} has a, b, c, ...)\n`,
  )
  expect(await problem('file')).toBe(`create-dit: the project must be a folder (${join(cwd, 'file')} is a file)\n`)
  expect(await problem('file/below')).toContain(
    `create-dit: ${join(cwd, 'file', 'below')} must be writable (a part of the path is a file: ENOTDIR`,
  )
  expect(readdirSync(cwd)).toEqual(['file', 'full'])
})

// As root nothing is refused, so that the system's word is made here.
test('says that the permission to write is missing, and passes on what it cannot explain', () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(`${code}: no`), { code })
  }
  expect(() => writing('/x', failing('EACCES'))).toThrow(
    'create-dit: /x must be writable (permission denied: EACCES: no)',
  )
  expect(() => writing('/x', failing('EROFS'))).toThrow('(the file system is read-only: EROFS: no)')
  expect(() => writing('/x', failing('EBADF'))).toThrow(/^EBADF: no$/)
})

test('leaves nothing behind where the packages cannot serve', async () => {
  mkdirSync(join(cwd, 'packed'))
  writeTarball(join(cwd, 'packed', 'a.tgz'), { name: '@dit/cli' })
  const { code, errors } = await create(['a/b', '-t', 'node', '--packages', 'packed'])
  expect(code).toBe(2)
  expect(errors).toContain('(the template needs @dit/')
  expect(readdirSync(cwd)).toEqual(['packed'])
})

test('stops where the input ends instead of an answer', async () => {
  const { code, errors } = await create([], [])
  expect({ code, errors }).toEqual({ code: 2, errors: '\ncreate-dit: stopped; nothing was written\n' })
})

test('prints its help and its version', async () => {
  const { code, printed } = await create(['--help'])
  expect(code).toBe(0)
  for (const template of templates) expect(printed).toContain(`  ${template}`)
  expect((await create(['-v'])).printed).toBe(`${own.version}\n`)
})
