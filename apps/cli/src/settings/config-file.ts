import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, type Option } from 'commander'
import { messageOf, UsageError } from '../terminal/errors.js'
import { didYouMean } from './suggest.js'
import { NULL } from './values.js'

/** Options that make no sense in a file. */
const COMMAND_LINE_ONLY = new Set(['config', 'debug', 'help'])

/** Options that say the same thing in different ways: one on the command line wins over another of the file. */
const ALTERNATIVES: readonly (readonly string[])[] = [
  ['steps', 'minutes', 'epochs'],
  ['count', 'total'],
  ['data', 'latents'],
]

/**
 * Options of a command, those of the JSON file that `--config` names included. Keys of the file are option names in
 * camel case (`--micro-batch 8` is `"microBatch": 8`); values pass the same checks; the command line wins. Where neither
 * gives an option, it is absent, whatever its default.
 *
 * @throws UsageError on unknown keys and wrong values
 */
export function givenOptions<T extends object>(command: Command): Partial<T> {
  const given: Record<string, unknown> = {}
  const path = command.opts<{ config?: string }>().config
  if (path !== undefined) Object.assign(given, readConfigFile(path, command))
  const told: Record<string, unknown> = {}
  for (const option of command.options) {
    const name = option.attributeName()
    if (command.getOptionValueSource(name) === 'cli') told[name] = command.getOptionValue(name)
  }
  for (const group of ALTERNATIVES) {
    if (group.some((name) => name in told)) for (const name of group) delete given[name]
  }
  Object.assign(given, told)
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, value === NULL ? null : value]),
  ) as Partial<T>
}

function readConfigFile(path: string, command: Command): Record<string, unknown> {
  return parseValues(path, parseObject(path), command)
}

/**
 * Options of a command from an object, such as a part of a file, checked as those of a config file are.
 *
 * @param where begins the messages
 * @throws UsageError on unknown keys and wrong values
 */
export function parseOptions<T extends object>(
  where: string,
  values: Readonly<Record<string, unknown>>,
  command: Command,
): Partial<T> {
  const given = Object.entries(parseValues(where, values, command))
  return Object.fromEntries(given.map(([key, value]) => [key, value === NULL ? null : value])) as Partial<T>
}

function parseValues(
  path: string,
  values: Readonly<Record<string, unknown>>,
  command: Command,
): Record<string, unknown> {
  const options = new Map(
    command.options
      .map((option) => [option.attributeName(), option] as const)
      .filter(([name]) => !COMMAND_LINE_ONLY.has(name)),
  )
  const given: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(values)) {
    if (key === '$schema') continue
    const option = options.get(key)
    if (option === undefined)
      throw new UsageError(`${path}: unknown key "${key}"${didYouMean(key, [...options.keys()])}`)
    given[key] = parseValue(path, key, option, value)
  }
  return given
}

function parseObject(path: string): Record<string, unknown> {
  let text: string
  try {
    text = textOf(readFileSync(path))
  } catch (error) {
    throw new UsageError(`--config: ${messageOf(error)}`, { cause: error })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${path} is not valid JSON: ${(error as Error).message}`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${path} must hold one JSON object whose keys are option names, such as {"steps": 100}`)
  }
  return value as Record<string, unknown>
}

/** Editors and shells on Windows begin files with a byte order mark, and some write UTF-16. */
function textOf(bytes: Buffer): string {
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(encoding).decode(bytes)
}

function parseValue(path: string, key: string, option: Option, value: unknown): unknown {
  if (option.isBoolean() || option.negate) {
    if (typeof value !== 'boolean')
      throw new UsageError(`${path}: "${key}" must be true or false (got ${JSON.stringify(value)})`)
    return value
  }
  const isList = Array.isArray(value) && option.flags.includes('<list>')
  const isJson = !Array.isArray(value) && option.flags.includes('<json>')
  if (typeof value === 'object' && value !== null && !isList && !isJson) {
    throw new UsageError(
      `${path}: "${key}" must be a plain value (got ${Array.isArray(value) ? 'a list' : 'an object'})`,
    )
  }
  if (value === null) {
    if (takesNull(option)) return NULL
    throw new UsageError(`${path}: "${key}" cannot be null; leave the key out to get the default`)
  }
  if (option.optional && typeof value === 'boolean') return value
  if (typeof value === 'boolean') throw new UsageError(`${path}: "${key}" must be a plain value (got ${value})`)
  try {
    const text = Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value)
    return option.parseArg === undefined ? text : option.parseArg(text, undefined)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new UsageError(`${path}: "${key}" cannot be ${JSON.stringify(value)}. ${error.message}`, { cause: error })
  }
}

function takesNull(option: Option): boolean {
  try {
    return option.parseArg?.('null', undefined) === NULL
  } catch {
    return false
  }
}
