import { expect, test } from 'vitest'
import { nameProblem, suggestName } from '../src/package-name.js'

test.each(['my-app', 'a', '@me/my-app', 'my.app_2', '0', 'x'.repeat(214)])('npm accepts %s', (name) => {
  expect(nameProblem(name)).toBe(null)
})

test.each([
  ['', 'must not be empty'],
  ['@me/', 'must not be empty'],
  ['My-App', 'must be in lower case'],
  ['.app', 'must not start with a dot or an underscore'],
  ['@me/_app', 'must not start with a dot or an underscore'],
  ['my app', 'may have only letters a to z, digits, - . and _'],
  ['my/app', 'may have only letters a to z, digits, - . and _'],
  ['@me/my/app', 'may have only letters a to z, digits, - . and _'],
  ['äpp', 'may have only letters a to z, digits, - . and _'],
  ['node_modules', 'must not be a name that npm keeps for itself'],
  ['http', 'must not be the name of a module of Node'],
  ['x'.repeat(215), 'must have at most 214 characters'],
])('of %j it says that a name %s', (name, problem) => {
  expect(nameProblem(name)).toBe(problem)
})

test.each([
  ['My App', 'my-app'],
  ['.hidden', 'hidden'],
  ['http', 'my-dit-app'],
  ['äöü', 'my-dit-app'],
  ['a--', 'a'],
])('for %j it suggests %s, which npm accepts', (name, suggestion) => {
  expect(suggestName(name)).toBe(suggestion)
  expect(nameProblem(suggestName(name))).toBe(null)
})
