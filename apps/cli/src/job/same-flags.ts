import { type Communicator, sharedText } from '@dit/train-ddp'
import { flagOf } from '../settings/flag-of.js'
import { TRAIN_ROWS, type TrainFlags } from '../settings/train-settings.js'
import { largest } from './job.js'

/**
 * How the options of a rank differ from those of rank 0, by which all ranks train, as a message on every rank; null where none do.
 * Of a config file its keys count, not its place. Every rank calls it.
 */
export async function flagDifference(communicator: Communicator, flags: TrainFlags): Promise<string | null> {
  const first = JSON.parse(await sharedText(communicator, JSON.stringify(flags))) as TrainFlags
  const own = differenceText(communicator.rank, flags, first)
  const rank = await largest(communicator, own === null ? 0 : communicator.rank)
  return rank === 0 ? null : sharedText(communicator, own ?? '', rank)
}

function differenceText(rank: number, flags: TrainFlags, first: TrainFlags): string | null {
  const names = [...new Set([...Object.keys(first), ...Object.keys(flags)])] as (keyof TrainFlags)[]
  const other = names.find((name) => TRAIN_ROWS[name].perRank !== true && flags[name] !== first[name])
  if (other === undefined) return null
  return `rank ${rank} was started ${flagText(other, flags[other])}, but rank 0 ${flagText(other, first[other])}; start all ranks with the same options (only --threads and --patience may differ)`
}

function flagText(name: string, value: TrainFlags[keyof TrainFlags]): string {
  const flag = flagOf(name)
  if (value === undefined) return `without ${flag}`
  if (typeof value === 'boolean') return `with ${value ? flag : flag.replace('--', '--no-')}`
  return `with ${flag} ${name === 'betas' ? 'other values' : (value ?? 'none')}`
}
