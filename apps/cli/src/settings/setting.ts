import { type Command, InvalidArgumentError, Option } from 'commander'
import { NULL } from './values.js'

/**
 * One option of a command. A table of settings has one row for each; the options, their types, their defaults and the checks
 * of config files are made from it.
 */
export interface Setting {
  /** As commander takes it: `--keep-every <steps>`, whose key in a table is `keepEvery`. */
  readonly flag: string
  /** For `--help`; `{default}` stands for the default. */
  readonly help: string
  /** Help of the `--no-` form of a switch that has both. */
  readonly negation?: string
  /** Reads the text of a value; without it, and without choices, a value is text. */
  readonly parse?: (text: string) => unknown
  readonly choices?: readonly string[]
  /** Values in lower case that other programs have in place of a choice, and what to take here: a sentence for the error. */
  readonly elsewhere?: Readonly<Record<string, string>>
  /** What is used where the option is absent; the option itself stays absent, so that it is known to be. */
  readonly default?: unknown
  /** The command does not run without it. */
  readonly isRequired?: true
}

/** Settings by the names of their options in camel case. */
export type Settings<S extends Setting = Setting> = Readonly<Record<string, S>>

/** The options of a table of settings as given, on the command line or in a config file. What is absent takes its default. */
export type FlagsOf<Table extends Settings> = { readonly [Key in keyof Table]?: ValueOf<Table[Key]> }

/** `--resume [folder]` may stand without its value. */
type ValueOf<S> = S extends { readonly flag: `${string}[${string}` } ? boolean | TextOf<S> : TextOf<S>

type TextOf<S> = S extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : S extends { readonly parse: (text: string) => infer Value }
    ? OrNull<Value>
    : S extends { readonly flag: `${string}${'<' | '['}${string}` }
      ? string
      : boolean

type OrNull<Value> = Value extends typeof NULL ? null : Value

/** The defaults of those settings that have one. */
export type DefaultsOf<Table extends Settings> = {
  readonly [Key in keyof Table as Table[Key] extends { readonly default: unknown } ? Key : never]: Table[Key]['default']
}

export function defaultsOf<Table extends Settings>(settings: Table): DefaultsOf<Table> {
  const rows = Object.entries(settings).filter(([, setting]) => setting.default !== undefined)
  return Object.fromEntries(rows.map(([key, setting]) => [key, setting.default])) as DefaultsOf<Table>
}

/** The options of a table, of which those with a default and those that are required are never absent. */
export type CompleteFlags<Table extends Settings> = FlagsOf<Table> &
  Required<Pick<FlagsOf<Table>, (keyof DefaultsOf<Table> | RequiredOf<Table>) & keyof Table>>

type RequiredOf<Table extends Settings> = {
  [Key in keyof Table]: Table[Key] extends { readonly isRequired: true } ? Key : never
}[keyof Table]

export function withDefaults<Table extends Settings>(settings: Table, flags: FlagsOf<Table>): CompleteFlags<Table> {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined)
  return { ...defaultsOf(settings), ...Object.fromEntries(given) } as CompleteFlags<Table>
}

/** The first setting of a table that is given. */
export function firstGiven(settings: Settings, flags: object): string | undefined {
  return Object.keys(settings).find((key) => (flags as Readonly<Record<string, unknown>>)[key] !== undefined)
}

/** Whether a setting is on or off. */
export function isSwitch({ flag, parse, choices }: Setting): boolean {
  return parse === undefined && choices === undefined && !/[<[]/.test(flag)
}

/** Whether a value, such as one that was read from a file, is what the option's text would give. */
export function isValue({ parse }: Setting, value: unknown): boolean {
  if (parse === undefined) return typeof value === 'string'
  try {
    const parsed = parse(String(value))
    return (parsed === NULL ? null : parsed) === value
  } catch {
    return false
  }
}

/**
 * Adds the options of a table to a command, in its order.
 *
 * @param group heading in the help
 */
export function addSettings(command: Command, settings: Settings, group?: string): Command {
  for (const option of settingOptions(settings)) {
    command.addOption(group === undefined ? option : option.helpGroup(`${group}:`))
  }
  return command
}

/** The options of a table. They have no defaults of their own. */
export function settingOptions(settings: Settings): Option[] {
  return Object.values(settings).flatMap(
    ({ flag, help, negation, parse, choices, elsewhere, isRequired, default: usual }) => {
      const option = new Option(flag, help.replace('{default}', String(usual)))
      if (choices !== undefined) option.choices(choices)
      if (elsewhere !== undefined) refuseElsewhere(option, elsewhere)
      if (parse !== undefined) option.argParser(parse)
      if (isRequired === true) option.makeOptionMandatory()
      return negation === undefined ? [option] : [option, new Option(flag.replace('--', '--no-'), negation)]
    },
  )
}

/** Has an option explain those values that only other programs have. */
function refuseElsewhere(option: Option, elsewhere: Readonly<Record<string, string>>): void {
  const parse = option.parseArg
  option.argParser((text: string, previous: unknown) => {
    // PyTorch numbers devices: cuda:0.
    const name = text.toLowerCase().replace(/:\d+$/, '')
    if (Object.hasOwn(elsewhere, name)) throw new InvalidArgumentError(elsewhere[name])
    return parse === undefined ? text : parse(text, previous)
  })
}
