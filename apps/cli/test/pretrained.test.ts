import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { withPretrainedSampling } from '../src/settings/pretrained.js'
import { keptFolder, runDit, temporaryFolder } from './support/run-dit.js'
import { makeTinyRun } from './support/tiny-run.js'

// A project with a tiny model in place of the heroes.
const project = keptFolder()
const ENGINE = ['--backend', 'reference']

/** Installs a package of this name in a folder, whose weights are in place or not. */
function install(folder: string): string {
  const installed = join(folder, 'node_modules/@dit/pretrained')
  mkdirSync(installed, { recursive: true })
  const exports = { './package.json': './package.json', './heroes.safetensors': './heroes.safetensors' }
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: '@dit/pretrained', exports }))
  return join(installed, 'heroes.safetensors')
}

beforeAll(async () => {
  const run = join(keptFolder(), 'tiny')
  await makeTinyRun(run)
  const { code, stderr } = await runDit(['convert', run, install(project), '--dtype', 'f16'])
  if (code !== 0) throw new Error(stderr)
})

test('without a model, dit sample draws two pictures a class of the heroes and says so', async () => {
  const { code, stdout, stderr } = await runDit(['sample', ...ENGINE], { cwd: project })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^no model named: using @dit\/pretrained\/heroes, which comes with dit\./)
  expect(stdout).toContain('model  @dit/pretrained/heroes\nsample 6 classes x 2, dpmpp-2m 20 steps, guidance 1.25')
  expect(existsSync(join(project, 'samples.png'))).toBe(true)
})

test('runs that are there are named beside it', async () => {
  const run = join(project, 'runs/mine')
  await makeTinyRun(run)
  const { stdout } = await runDit(['sample', ...ENGINE, '--classes', 'disc', '--count', '1', '--steps', '2'], {
    cwd: project,
  })
  expect(stdout).toContain('For your own: dit sample <run or weights>. Runs here: runs/mine.')
  rmSync(run, { recursive: true })
})

test('pictures of the bundled model lie in the working directory, and never in the package', async () => {
  const args = ['sample', '@dit/pretrained/heroes', '--count', '1', '--classes', 'disc', '--out', 'disc.png']
  const { code } = await runDit([...args, ...ENGINE], { cwd: project })
  expect(code).toBe(0)
  expect(existsSync(join(project, 'disc.png'))).toBe(true)
  expect(existsSync(join(project, 'node_modules/@dit/pretrained/samples.png'))).toBe(false)
})

test('dit info describes the file of the package', async () => {
  const { code, stdout } = await runDit(['info', '@dit/pretrained/heroes'], { cwd: project })
  expect(code).toBe(0)
  expect(stdout).toContain('heroes.safetensors')
  expect(stdout).toContain('disc')
})

test('training begins with it', async () => {
  const args = ['train', '--from', '@dit/pretrained/heroes', '--data', 'shapes', '--size', '4', '--steps', '1']
  const { code, stderr } = await runDit(
    [...args, '--batch', '2', '--out', 'tuned', '--sample-every', 'none', ...ENGINE],
    {
      cwd: project,
    },
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const config = JSON.parse(readFileSync(join(project, 'tuned/config.json'), 'utf8')) as {
    from: { source: string }
  }
  expect(config.from.source).toBe('@dit/pretrained/heroes')
})

describe('where the weights are missing', () => {
  const empty = () => {
    const folder = temporaryFolder()
    install(folder)
    return folder
  }

  test('dit sample without a model asks which', async () => {
    const { code, stderr } = await runDit(['sample'], { cwd: empty() })
    expect(code).toBe(2)
    expect(stderr).toContain('which model? Give a run or weights')
  })

  test('a model by name is refused with the file that is missing', async () => {
    const folder = empty()
    for (const command of ['sample', 'info']) {
      const { code, stderr } = await runDit([command, '@dit/pretrained/heroes'], { cwd: folder })
      expect(code, command).not.toBe(0)
      expect(stderr).toMatch(/the file .*heroes\.safetensors is missing in the installed package/)
    }
  })
})

test('a damaged file is no missing one: dit sample tells of it', async () => {
  const folder = temporaryFolder()
  writeFileSync(install(folder), 'no weights')
  const { code, stderr } = await runDit(['sample', ...ENGINE], { cwd: folder })
  expect(code).not.toBe(0)
  expect(stderr).toContain('@dit/pretrained/heroes')
  expect(stderr).not.toContain('which model?')
})

test.each([
  ['sample', 'heroes: there is no such file or folder; did you mean @dit/pretrained/heroes, which comes with dit?'],
  ['info', 'heroes: there is no file, folder or model of this name; did you mean @dit/pretrained/heroes?'],
])('dit %s of the bare name points to the model', async (command, problem) => {
  const { code, stderr } = await runDit([command, 'heroes'], { cwd: temporaryFolder() })
  expect(code).toBe(2)
  expect(stderr).toContain(problem)
})

test('the settings of a bundled model give way to those of the user, sampler and steps together', () => {
  const source = '@dit/pretrained/heroes'
  const usual = { sampler: 'dpmpp-2m', steps: 20, guidance: 1.25 }
  expect(withPretrainedSampling(source, {})).toEqual(usual)
  expect(withPretrainedSampling(source, { guidance: 2 })).toEqual({ ...usual, guidance: 2 })
  expect(withPretrainedSampling(source, { sampler: 'ddpm' })).toEqual({ sampler: 'ddpm', guidance: 1.25 })
  expect(withPretrainedSampling(source, { steps: 50 })).toEqual({ steps: 50, guidance: 1.25 })
  expect(withPretrainedSampling('runs/heroes', {})).toEqual({})
  expect(withPretrainedSampling(undefined, {})).toEqual({})
})
