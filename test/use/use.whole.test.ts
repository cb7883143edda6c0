import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { run, runOrThrow } from '../../tools/release/run.js'
import { repositoryRoot } from '../../tools/release/workspace.js'

const project = mkdtempSync(join(tmpdir(), 'dit-use-'))
afterAll(() => rmSync(project, { recursive: true, force: true }))

// Without network: neither package needs anything that is not ours.
const env = { ...process.env, npm_config_offline: 'true', INIT_CWD: repositoryRoot }
const use = (...args: string[]) => {
  return run(process.execPath, ['tools/use.mjs', ...args], { cwd: repositoryRoot, env, seconds: 250 })
}
const manifest = () => JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { dependencies: object }

test('an empty folder gets packages of the clone that run there, by one command without network', async () => {
  const { code, stdout, stderr } = await use(project, 'schedules')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).toContain(': @dit/schedules\nwith what they need: @dit/random\n')
  expect(stdout).toContain('for speed add an engine: npm run use -- ')
  expect(Object.keys(manifest().dependencies)).toEqual(['@dit/random', '@dit/schedules'])

  const program = "import { namedBetas } from '@dit/schedules'\nconsole.log(namedBetas('linear', 1000)[0])\n"
  writeFileSync(join(project, 'main.js'), program)
  expect(await run(process.execPath, ['main.js'], { cwd: project })).toMatchObject({ code: 0, stdout: '0.0001\n' })
})

test('another call replaces what has changed, and keeps no tarball of before', async () => {
  const folder = join(project, '.dit-packages')
  const current = readdirSync(folder)
  // As an older state of the clone would have left it: another file in the package, and so another digest.
  const installed = join(project, 'node_modules', '@dit', 'random')
  writeFileSync(join(installed, 'dist', 'index.js'), 'export const old = true\n')
  const old = join(folder, 'dit-random-0.0.0-0123456789.tgz')
  await runOrThrow('npm', ['pack', '--pack-destination', folder, installed], { cwd: project, env })
  renameSync(join(folder, 'dit-random-0.0.0.tgz'), old)
  await runOrThrow('npm', ['install', old], { cwd: project, env })
  rmSync(join(folder, current[0]))
  expect((await run(process.execPath, ['main.js'], { cwd: project })).code).toBe(1)

  const { code, stdout } = await use(project)
  expect(code).toBe(0)
  expect(stdout).toContain(': @dit/random, @dit/schedules\n')
  expect(readdirSync(folder)).toEqual(current)
  expect((await run(process.execPath, ['main.js'], { cwd: project })).code).toBe(0)
})

test('a mistake ends with exit code 2, one message and nothing written', async () => {
  const { code, stdout, stderr } = await use(join(project, 'none', 'new'), 'schedules')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^use: there is no folder .*none to make new in; check the path\n$/)
})
