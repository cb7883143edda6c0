import { SAMPLE_ROWS } from '../samples/sample-settings.js'
import { flagOf } from './flag-of.js'
import { processOptionNames } from './weights-process.js'

/** Keys of settings by the options of `@dit/pipeline` that they give. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(SAMPLE_ROWS).flatMap(([key, { option }]) => (option === undefined ? [] : [[option, key] as const])),
  ...processOptionNames(),
])

/** The flag of an option of `@dit/pipeline`: `guidanceRescale` -> `--guidance-rescale`, `process.interpolant` -> `--path`. */
export function optionFlag(option: string): string {
  return flagOf(KEYS.get(option) ?? option.replace(/^process\./, ''))
}

/** A text of `@dit/pipeline`, in which options stand in backquotes, with the flags of the command line in their place. */
export function inFlags(text: string): string {
  return text.replaceAll(/`([a-z]\w*(?:\.\w+)?)`/g, (_, option: string) => optionFlag(option))
}
