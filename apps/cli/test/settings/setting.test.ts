import { Command } from 'commander'
import { expect, expectTypeOf, test } from 'vitest'
import { ENGINE_SETTINGS } from '../../src/engines/engine-options.js'
import {
  addSettings,
  defaultsOf,
  firstGiven,
  type FlagsOf,
  isSwitch,
  isValue,
  settingOptions,
  type Settings,
  withDefaults,
} from '../../src/settings/setting.js'
import { TRAIN_SETTINGS } from '../../src/settings/train-settings.js'
import { integer, orWord, path } from '../../src/settings/values.js'

const TABLE = {
  steps: { flag: '--steps <n>', help: 'how many (default {default})', parse: integer(1), default: 9 },
  keepEvery: { flag: '--keep-every <steps>', help: 'some', parse: orWord('none', integer(1)) },
  decay: { flag: '--decay <course>', help: 'which', choices: ['linear', 'cosine'] },
  name: { flag: '--name <text>', help: 'what' },
  warm: { flag: '--warm', help: 'slowly', negation: 'at once' },
  resume: { flag: '--resume [folder]', help: 'go on', parse: path },
} as const satisfies Settings

test('the types of the options come from the rows', () => {
  expectTypeOf<FlagsOf<typeof TABLE>>().toEqualTypeOf<{
    readonly steps?: number
    readonly keepEvery?: number | null
    readonly decay?: 'linear' | 'cosine'
    readonly name?: string
    readonly warm?: boolean
    readonly resume?: boolean | string
  }>()
})

test('a table makes the options in its order, each with help, choices and parser', () => {
  const command = addSettings(new Command().exitOverride().configureOutput({ writeErr: () => {} }), TABLE, 'Some')
  expect(command.options.map(({ long }) => long)).toEqual([
    '--steps',
    '--keep-every',
    '--decay',
    '--name',
    '--warm',
    '--no-warm',
    '--resume',
  ])
  const help = command.helpInformation()
  expect(help).toMatch(/^Some:/m)
  expect(help).toMatch(/--steps <n> +how many \(default 9\)/)
  expect(help).toMatch(/--no-warm +at once/)
  command.parse(['--steps', '3', '--decay', 'cosine', '--no-warm', '--resume'], { from: 'user' })
  expect(command.opts()).toEqual({ steps: 3, decay: 'cosine', warm: false, resume: true })
  expect(() => command.parse(['--decay', 'up'], { from: 'user' })).toThrow(/Allowed choices are linear, cosine/)
  expect(() => command.parse(['--steps', '0'], { from: 'user' })).toThrow(/It must be a whole number, 1 or more/)
})

test('defaults stand in for what is absent, and null is not absent', () => {
  expect(defaultsOf(TABLE)).toEqual({ steps: 9 })
  expect(defaultsOf({ clip: { flag: '--clip <norm>', help: '', default: null } })).toEqual({ clip: null })
  expect(withDefaults(TABLE, { name: 'x' })).toEqual({ steps: 9, name: 'x' })
  expect(withDefaults(TABLE, { steps: 2 })).toEqual({ steps: 2 })
  expect(withDefaults(TABLE, { steps: undefined, keepEvery: null })).toEqual({ steps: 9, keepEvery: null })
  expect(firstGiven(TABLE, { resume: false, name: 'x' })).toBe('name')
  expect(firstGiven(TABLE, { other: 1 })).toBeUndefined()
})

test.each([
  ['steps', 3, true],
  ['steps', 0, false],
  ['steps', '3', false],
  ['steps', undefined, false],
  ['keepEvery', null, true],
  ['keepEvery', 'none', false],
  ['name', 'x', true],
  ['name', 3, false],
] as const)('%s: %j is a value: %j', (key, value, expected) => {
  expect(isValue(TABLE[key], value)).toBe(expected)
})

test('only what takes no value is a switch', () => {
  const switches = Object.entries(TABLE).filter(([, setting]) => isSwitch(setting))
  expect(switches.map(([key]) => key)).toEqual(['warm'])
})

test.each([
  ['dit train', TRAIN_SETTINGS],
  ['an engine', ENGINE_SETTINGS],
] as const)('the keys in the table of %s are the names of its options', (_, table) => {
  for (const [key, setting] of Object.entries(table)) {
    expect(settingOptions({ [key]: setting }).map((option) => option.attributeName())).toEqual(
      'negation' in setting ? [key, key] : [key],
    )
  }
})
