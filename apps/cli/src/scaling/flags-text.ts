import { flagOf } from '../settings/flag-of.js'
import { TRAIN_ROWS, type TrainFlags } from '../settings/train-settings.js'

/** Options of `dit train` as they are typed. */
export function flagsText(flags: TrainFlags): string {
  return Object.entries(flags)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => optionText(key, value))
    .filter((text) => text !== '')
    .join(' ')
}

function optionText(key: string, value: TrainFlags[keyof TrainFlags]): string {
  const { flag, negation } = TRAIN_ROWS[key]
  const name = flagOf(key)
  const isNegative = flag.startsWith('--no-')
  if (value === true) return isNegative ? '' : name
  if (value === false) return isNegative || negation !== undefined ? `--no-${name.slice(2)}` : ''
  return `${name} ${quoted(value === null ? 'none' : String(value))}`
}

/** In single quotes where a shell would take it apart. */
function quoted(text: string): string {
  return /^[\w./:,=+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
