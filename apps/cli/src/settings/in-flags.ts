import { flagOf } from './flag-of.js'
import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'

/**
 * A message of a library about fields of `config.json`, with the flags of those fields in their place: `DiTConfig: hiddenSize must be a
 * multiple of numHeads` -> `--hidden must be a multiple of --heads`.
 *
 * @param settings whose fields the message may name
 */
export function fieldsInFlags(message: string, settings: Settings<RunSetting>): string {
  const flags = new Map(
    Object.entries(settings).flatMap(([key, { place = [] }]) =>
      (typeof place === 'string' ? [place] : Object.values(place)).map((at) => [lastName(at), flagOf(key)] as const),
    ),
  )
  return message
    .replace(/^\w+: /, '')
    .replace(', or null', ', or none')
    .replaceAll(/(?:\bthe )?\b([a-z]\w*)\b(?!\[)/gi, (text, name: string) => flags.get(name) ?? text)
}

function lastName(place: string): string {
  return place.slice(place.lastIndexOf('.') + 1)
}
