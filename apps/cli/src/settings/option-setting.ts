import type { Setting, Settings } from './setting.js'

/** A setting that becomes an option of `@dit/pipeline`. */
export interface OptionSetting extends Setting {
  /** Name of that option. A setting without one is the command's own business. */
  readonly option?: string
  /** Turns the setting's value into the option's; as it is by default. */
  readonly store?: (value: never) => unknown
}

type Fields = Readonly<Record<string, unknown>>

/** The options of `@dit/pipeline` that the settings of a table give. What is absent stays absent. */
export function storedOptions(settings: Settings<OptionSetting>, flags: object): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (const [key, { option, store }] of Object.entries(settings)) {
    const value = (flags as Fields)[key]
    if (option === undefined || value === undefined) continue
    const stored = store === undefined ? value : store(value as never)
    if (stored !== undefined) options[option] = stored
  }
  return options
}
