import { expect, test } from 'vitest'
import { publishable, readPackages } from '../../tools/release/workspace.js'
import { isInside, planUse, readRequest, UseError } from '../../tools/use/plan.js'

const all = publishable(readPackages())

test('packages may be named without the scope, and the project is relative to where the command was called', () => {
  const request = readRequest(['../my-app', 'sampler', '@dit/backend-cpu'], '/code/clone')
  expect(request).toEqual({ project: '/code/my-app', names: ['@dit/sampler', '@dit/backend-cpu'] })
})

test('a package brings along what it needs, each once', () => {
  const plan = planUse(all, ['@dit/diffusion', '@dit/schedules', '@dit/diffusion'], null)
  expect(plan.asked).toEqual(['@dit/diffusion', '@dit/schedules'])
  expect(plan.needed).toEqual(['@dit/random', '@dit/tensor'])
  expect(plan.packages.map(({ name }) => name).toSorted()).toEqual([...plan.asked, ...plan.needed].toSorted())
})

test('what a project has from an earlier call is packed again, and what comes from elsewhere is left alone', () => {
  const dependencies = {
    '@dit/checkpoint': 'file:.dit-packages/dit-checkpoint-0.0.0-0123456789.tgz',
    '@dit/vae': 'file:../elsewhere/vae',
    'left-pad': '^1.0.0',
  }
  const plan = planUse(all, ['@dit/random'], { dependencies })
  expect(plan).toMatchObject({ asked: ['@dit/random'], refreshed: ['@dit/checkpoint'], needed: [] })
  expect(planUse(all, [], { devDependencies: dependencies })).toMatchObject({
    asked: [],
    refreshed: ['@dit/checkpoint'],
  })
})

test.each([
  ['@dit/smapler', 'use: there is no package @dit/smapler; did you mean @dit/sampler?'],
  ['@dit/webgpu', 'use: there is no package @dit/webgpu; did you mean @dit/backend-webgpu?'],
  ['@dit/photographs', /^use: there is no package @dit\/photographs; there are adaln, backend-cpu, .*, vae$/],
] as const)('an unknown package is refused, with those that it may stand for: %s', (name, text) => {
  expect(() => planUse(all, [name], null)).toThrow(text)
})

test('a call that says too little is refused, with what must be said', () => {
  const usage = 'npm run use -- <project> [package ...]'
  expect(() => readRequest([], '/code')).toThrow(`use: a project's folder must be given\nusage: ${usage}`)
  expect(() => readRequest(['@dit/vae', '../app'], '/code')).toThrow('folder must come first (got @dit/vae)')
  expect(() => readRequest(['--help'], '/code')).toThrow('use: there are no options (got --help)')
  expect(() => planUse(all, [], {})).toThrow(/^use: name the packages to install: adaln, backend-cpu, /)
  expect(() => planUse(all, [], {})).toThrow(UseError)
})

test('a package that the clone no longer has is named', () => {
  const manifest = { dependencies: { '@dit/gone': 'file:.dit-packages/dit-gone-0.0.0-0123456789.tgz' } }
  const text = 'use: the project has @dit/gone, which this clone does not; first run: npm uninstall @dit/gone'
  expect(() => planUse(all, ['@dit/vae'], manifest)).toThrow(text)
})

test('a folder of the clone is told from one beside it', () => {
  expect(isInside('/code/clone', '/code/clone')).toBe(true)
  expect(isInside('/code/clone/runs/app', '/code/clone')).toBe(true)
  expect(isInside('/code/clone-of-mine', '/code/clone')).toBe(false)
  expect(isInside('/code', '/code/clone')).toBe(false)
})
