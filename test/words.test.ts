import { homedir, hostname } from 'node:os'
import { dirname, relative } from 'node:path'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../tools/release/workspace.js'
import { listFiles, readText } from './sources.js'

// The repository speaks of the project alone: it must read the same wherever it was written and wherever it is cloned.
// Nothing local is listed here; what is local is asked of the machine that runs the test.

const isText = (path: string) =>
  /(\.(ts|tsx|mjs|js|json|md|sh|txt|yml|yaml|html|css|c|h|wgsl|vue)|\/\.npmrc|\/\.env|\/run|LICENSE)$/.test(path)
const files = listFiles(repositoryRoot).filter(
  (path) => isText(path) && relative(repositoryRoot, path) !== 'test/words.test.ts',
)

/** Lines that match, as `path:line: text`. */
function linesMatching(pattern: RegExp): string[] {
  return files.flatMap((path) =>
    readText(path)
      .split('\n')
      .map((line, i) => ({ line, place: `${relative(repositoryRoot, path)}:${i + 1}` }))
      .filter(({ line }) => pattern.test(line))
      .map(({ line, place }) => `${place}: ${line.trim().slice(0, 120)}`),
  )
}

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

test('names no folder, user or machine of those who work on it', () => {
  // Short or everyday names (`/`, `root`, `node`) would match ordinary text and identify nobody.
  const local = [repositoryRoot, `${dirname(repositoryRoot)}/`, `${homedir()}/`, hostname()].filter(
    (text) => text.length >= 6 && !/^(localhost|root|node|builder|runner)$/.test(text),
  )
  expect(linesMatching(new RegExp(local.map(escape).join('|')))).toEqual([])
  expect(linesMatching(/(^|[\s"'`(=:])\/(home|Users|root|mnt|srv)\/[\w.-]/)).toEqual([])
})

test('names no package registry', () => {
  expect(linesMatching(/\bregistry\.[\w-]+\.\w|\/\/[\w.-]*\bregistry\b|"resolved": "https?:/)).toEqual([])
  const configured = /^https?:\/\/([^/:]+)/.exec(process.env['npm_config_registry'] ?? '')?.[1]
  expect(configured === undefined ? [] : linesMatching(new RegExp(escape(configured)))).toEqual([])
})

test('holds no key or token', () => {
  expect(
    linesMatching(/-----BEGIN [A-Z ]*PRIVATE KEY|\b(npm|ghp|gho|github_pat)_[A-Za-z0-9]{20,}|_authToken\s*=\s*\S/),
  ).toEqual([])
  expect(files.filter((path) => /\/\.env(\..*)?$/.test(path))).toEqual([])
})

test('holds none of the words that DIT_FORBIDDEN_WORDS lists, separated by commas', () => {
  const words = (process.env['DIT_FORBIDDEN_WORDS'] ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  const found = words.length === 0 ? [] : linesMatching(new RegExp(`\\b(${words.map(escape).join('|')})\\b`, 'i'))
  expect(found).toEqual([])
})

test('holds no leftovers of a merge', () => {
  expect(linesMatching(/^(<{7}|>{7}|={7})( |$)/)).toEqual([])
})
