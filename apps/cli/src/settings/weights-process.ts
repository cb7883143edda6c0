import type { ProcessSettings } from '@dit/pipeline'
import { WEIGHTS_PROCESS_SETTINGS } from './process-settings.js'
import type { Family, RunSetting } from './run-setting.js'
import type { FlagsOf, Settings } from './setting.js'

/** Flags that say what weights were trained on, if their file does not. */
export type WeightsProcessFlags = FlagsOf<typeof WEIGHTS_PROCESS_SETTINGS>

const ROWS: Settings<RunSetting> = WEIGHTS_PROCESS_SETTINGS
const PREFIX = 'objective.process.'

/** The settings of a process that flags give; undefined if they give none. */
export function processSettings(flags: WeightsProcessFlags): ProcessSettings | undefined {
  const given: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(ROWS)) {
    const value = flags[key as keyof WeightsProcessFlags]
    if (value === undefined) continue
    given[fieldOf(setting, flags.process)] = setting.store === undefined ? value : setting.store(value as never)
  }
  return Object.keys(given).length === 0 ? undefined : given
}

/** The names that these settings have in errors of `@dit/pipeline`, such as `process.interpolant` of `path`. */
export function processOptionNames(): readonly (readonly [option: string, key: string])[] {
  return Object.entries(ROWS).flatMap(([key, { place }]) =>
    (typeof place === 'string' ? [place] : Object.values(place!)).map(
      (at) => [at.replace('objective.', ''), key] as const,
    ),
  )
}

/** Where a setting belongs in a process; a family that does not have it gets it all the same, and the pipeline says so. */
function fieldOf({ place }: RunSetting, family: Family | undefined): string {
  const at = typeof place === 'string' ? place : (place![family ?? 'flow'] ?? Object.values(place!)[0])
  return at.slice(PREFIX.length)
}
