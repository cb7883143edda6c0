import { openTarShards, readClassNames, scanTarShards, type TarShards, type TarShardsScan } from '@dit/data/node'
import { UsageError } from '../terminal/errors.js'
import { formatCount } from '../terminal/format.js'
import type { Output } from '../terminal/output.js'
import { printableName } from '../terminal/printable.js'
import { checkingProgress, inFlags, searchLines } from './data-progress.js'
import { foundText, leftOutText, someOf } from './folder-words.js'
import type { DataRequest } from './open-data.js'

/** Opens tar shards, and says what is in them. @throws UsageError where they cannot serve */
export async function openShards(request: DataRequest, output: Output): Promise<TarShards> {
  const { data, size, skipBad, background = null, maxPixels } = request
  const classes = await namesOf(request)
  const progress = checkingProgress(output)
  const onScanned = (scan: TarShardsScan) => {
    output.line(foundText(scan))
    output.line(shardsText(scan, classes !== undefined))
    const leftOut = leftOutText(scan.leftOut, true)
    if (leftOut !== null) output.line(leftOut)
    const empty = emptyText(scan)
    if (empty !== null) output.notice(empty)
  }
  const { onProgress } = progress
  const options = { size, skipBad, background, maxPixels, classes, onScanned, onProgress }
  try {
    return await openTarShards(data, { ...options, onScan: searchLines(data, output) }).catch(inFlags)
  } finally {
    progress.stop()
  }
}

/** Classes and pictures of tar shards, by their headers and labels. @throws UsageError where they cannot serve */
export async function countShards(
  request: Pick<DataRequest, 'data' | 'classNames'>,
  output: Pick<Output, 'line'>,
): Promise<{ classes: number; pictures: number }> {
  const known = await namesOf(request)
  const onScan = searchLines(request.data, output)
  const { classes, length } = await scanTarShards(request.data, { classes: known, onScan }).catch(inFlags)
  return { classes: classes.length, pictures: length }
}

/** Class names of a resumed run, or of the file that a flag names. */
async function namesOf({
  classNames,
  classes,
}: Pick<DataRequest, 'classNames' | 'classes'>): Promise<readonly string[] | undefined> {
  if (classNames === undefined) return classes
  const names = await readClassNames(classNames).catch(inFlags)
  if (classes !== undefined && JSON.stringify(names) !== JSON.stringify(classes)) {
    throw new UsageError(
      `--class-names ${classNames}: the classes of the resumed run have other names; leave the option out`,
    )
  }
  return names
}

/** `in 4 tar shards, class names from shards/classes.json` */
function shardsText({ numShards, classesFrom, classes }: TarShardsScan, isGiven: boolean): string {
  const shards = `in ${formatCount(numShards)} tar shard${numShards === 1 ? '' : 's'}`
  if (classesFrom !== null) return `       ${shards}, class names from ${printableName(classesFrom)}`
  const isNumbered = !isGiven && classes[0] === 'class 0'
  return `       ${shards}${isNumbered ? '; classes have numbers: name them with --class-names, or with classes.json beside the shards' : ''}`
}

function emptyText({ emptyClasses, classes }: TarShardsScan): string | null {
  if (emptyClasses.length === 0) return null
  const have = emptyClasses.length === 1 ? 'has' : 'have'
  return (
    `${formatCount(emptyClasses.length)} of ${formatCount(classes.length)} classes ${have} no picture, and will not be learned: ` +
    someOf(emptyClasses)
  )
}
