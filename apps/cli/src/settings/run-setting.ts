import type { DataConfig } from '../run/run-config.js'
import type { Setting, Settings } from './setting.js'

/** A family of processes. */
export type Family = 'gaussian' | 'flow'

/** A setting of a run, most of which `config.json` keeps. */
export interface RunSetting extends Setting {
  /** Where `config.json` keeps it, such as `recipe.beta2`. A setting of one family of processes has a place for that family only. */
  readonly place?: string | Readonly<Partial<Record<Family, string>>>
  /** Turns the option's value into what is kept; as it is by default. */
  readonly store?: (value: never) => unknown
  /** Turns what is kept, or undefined, into the option's value; as it is by default. */
  readonly read?: (kept: never) => unknown
  /** In place of `place`, the option's value in a run whose data say it. */
  readonly ofData?: (data: DataConfig) => unknown
  /** `config.json` leaves it out where it is the default. */
  readonly isOptional?: boolean
  /** What `config.json` must hold there, in words, where `parse` can check it. */
  readonly must?: string
  /** A resumed run may change it: no number depends on it, or it is compared with the run later (data, engine, length). */
  readonly mayChange?: boolean
  /** Each worker may have its own. */
  readonly perRank?: boolean
}

type Fields = Readonly<Record<string, unknown>>

/** The place of a setting in a run of a family; undefined where it has none. */
export function placeOf({ place }: RunSetting, family: Family | null): string | undefined {
  if (place === undefined || typeof place === 'string') return place
  return family === null ? undefined : place[family]
}

/** The family of a run's process, or null for an objective of a module. */
export function familyOf(config: object): Family | null {
  const kind = valueAt(config, 'objective.process.kind')
  return kind === 'gaussian' || kind === 'flow' ? kind : null
}

/**
 * What options say, as `config.json` keeps it: of `--beta2 0.9`, `{ recipe: { beta2: 0.9 } }`.
 *
 * @param family of processes; of a setting of the other one nothing is kept
 */
export function keptFields(settings: Settings<RunSetting>, flags: object, family: Family | null = null): Fields {
  const fields = {}
  for (const [key, setting] of Object.entries(settings)) {
    const place = placeOf(setting, family)
    const value = (flags as Fields)[key]
    if (place === undefined || value === undefined) continue
    if (setting.isOptional !== true || value !== setting.default) keep(fields, place, setting, value)
  }
  return fields
}

/** Writes an option's value to its place. */
export function keep(config: object, place: string, { store }: RunSetting, value: unknown): void {
  const names = place.split('.')
  const last = names.pop()!
  let parent = config as Record<string, unknown>
  for (const name of names) parent = (parent[name] ??= {}) as Record<string, unknown>
  parent[last] = store === undefined ? value : store(value as never)
}

/** The value that an option would have, had it been given for a run; undefined where the run has none. */
export function keptFlag(setting: RunSetting, config: { readonly data: DataConfig }): unknown {
  const { ofData, read } = setting
  if (ofData !== undefined) return ofData(config.data)
  const place = placeOf(setting, familyOf(config))
  if (place === undefined) return undefined
  const kept = valueAt(config, place)
  return read === undefined ? kept : read(kept as never)
}

/** What stands at a place of `config.json`, or undefined. */
export function valueAt(config: object, place: string): unknown {
  return place
    .split('.')
    .reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? (at as Fields)[name] : undefined), config)
}
