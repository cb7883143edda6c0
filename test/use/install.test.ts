import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { readProject, startProject } from '../../tools/use/install.js'

const work = mkdtempSync(join(tmpdir(), 'dit-use-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

test('a project must be a folder outside the clone, which may be new in one that is there', () => {
  const file = join(work, 'file')
  writeFileSync(file, '')
  expect(readProject(join(work, 'new'))).toBeNull()
  expect(() => readProject(join(work, 'none', 'new'))).toThrow(/^use: there is no folder .*none to make new in; check/)
  expect(() => readProject(file)).toThrow(/^use: the project must be a folder \(.* is a file\)$/)
  expect(() => readProject(join(repositoryRoot, 'docs'))).toThrow(/^use: the project must lie outside the clone/)
})

test('a project of another package manager is refused, and so is one whose package.json is no JSON', () => {
  const project = join(work, 'other')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": ')
  expect(() => readProject(project)).toThrow(/^use: .*package\.json must be JSON \(/)
  writeFileSync(join(project, 'pnpm-lock.yaml'), '')
  expect(() => readProject(project)).toThrow(/^use: installs with npm only, and .* has a pnpm-lock\.yaml$/)
})

test('a folder without package.json gets one that npm takes', () => {
  const project = join(work, 'My App!')
  expect(readProject(project)).toBeNull()
  startProject(project)
  expect(readProject(project)).toEqual({ name: 'my-app', version: '0.0.0', private: true, type: 'module' })
  expect(readFileSync(join(project, 'package.json'), 'utf8')).toMatch(/^\{\n {2}"name"/)
})
