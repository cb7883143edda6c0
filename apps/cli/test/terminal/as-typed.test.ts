import { expect, test } from 'vitest'
import { asTyped } from '../../src/terminal/as-typed.js'
import { runDit } from '../support/run-dit.js'

const CLONE = { npm_command: 'run-script', npm_lifecycle_event: 'dit', npm_lifecycle_script: 'node tools/dit.mjs' }
const NPX = { npm_command: 'exec', npm_lifecycle_event: 'npx', npm_lifecycle_script: 'dit' }

test('hints are commands that run where they are printed', () => {
  const hint = 'Continue with: dit train --resume runs/a, or see `dit doctor`'
  expect(asTyped(hint, {})).toBe(hint)
  expect(asTyped(hint, CLONE)).toBe(
    'Continue with: npm run dit -- train --resume runs/a, or see `npm run dit -- doctor`',
  )
  expect(asTyped(hint, { ...CLONE, npm_lifecycle_event: 'demo', npm_package_name: 'dit-monorepo' })).toContain(
    '`npm run dit -- doctor`',
  )
  expect(asTyped(hint, NPX)).toBe('Continue with: npx @dit/cli train --resume runs/a, or see `npx @dit/cli doctor`')
})

test('another script or program of npm leaves them', () => {
  for (const env of [
    { ...CLONE, npm_lifecycle_event: 'test' },
    { ...CLONE, npm_lifecycle_event: 'demo', npm_package_name: 'mine' },
    { ...NPX, npm_lifecycle_script: 'vitest' },
  ]) {
    expect(asTyped('see `dit doctor`', env)).toBe('see `dit doctor`')
  }
})

test('words that are no command stay', () => {
  const text = 'a run of dit train, dit cannot sample; my/dit train; the format "dit-run-2": dit reads it'
  expect(asTyped(text, CLONE)).toBe(text)
})

test('errors and help of the program are said so', async () => {
  const wrong = await runDit(['sample', 'no/such/run'], { env: CLONE })
  expect(wrong.stderr).toContain('`npm run dit -- train`')
  expect(wrong.stderr).not.toMatch(/`dit /)
  const help = await runDit(['sample', '--help'], { env: CLONE })
  expect(help.stdout).toContain('Usage: npm run dit -- sample')
  expect(help.stdout).toContain('  npm run dit -- sample runs/shapes --classes disc')
  expect(help.stdout).not.toMatch(/^ {2}dit /m)
})
