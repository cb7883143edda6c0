import type { PictureSet } from './check-pictures.js'
import type { UnreadablePicture } from './image-folder-error.js'
import { printable } from './printable.js'
import type { FoundSample, ShardsScan } from './scan-shards.js'
import { TarShardsError } from './tar-shards-error.js'

/**
 * The samples of shards as a set to open, with their labels by number.
 *
 * @param known  class names by number, where they are given
 * @throws TarShardsError where no sample can be used, and where labels do not agree with each other or with the names
 */
export function pictureSetOf(
  scan: ShardsScan,
  where: string,
  known?: readonly string[],
): PictureSet & { readonly emptyClasses: readonly string[] } {
  const { classes, labels } = labelled(scan, where, known)
  const filled = new Set(labels)
  const emptyClasses = classes.filter((_, label) => !filled.has(label))
  if (known === undefined && emptyClasses.length > filled.size) {
    throw fail(
      `the labels of ${where} go up to ${classes.length - 1}, but only ${filled.size} of the ${classes.length} classes have ` +
        'pictures; number them from 0 on without gaps, or give the names of all classes',
    )
  }
  return {
    who: 'openTarShards',
    where,
    classes,
    files: scan.samples.map(({ path, place }, i) => ({ path, place, label: labels[i] })),
    bad: scan.bad,
    emptyClasses,
    adviceForEmptied: {
      one: 'repair pictures of it, or leave it out of the shards',
      more: 'repair pictures of them, or leave them out of the shards',
    },
    fail: (message, unreadable) => new TarShardsError(message, unreadable),
  }
}

function labelled(
  { samples, bad, leftOut }: ShardsScan,
  where: string,
  known?: readonly string[],
): { readonly classes: readonly string[]; readonly labels: Int32Array } {
  if (samples.length === 0) {
    if (bad.length > 0 && bad.every(({ reason }) => reason.startsWith('it has no label'))) throw unlabelled(where, bad)
    if (bad.length > 0) return { classes: known ?? [], labels: new Int32Array(0) }
    const kinds = leftOut.map(({ kind, count }) => `${count} ${printable(kind)}`).slice(0, 5)
    throw fail(`${where}: no sample has a picture${kinds.length === 0 ? '' : ` (found: ${kinds.join(', ')})`}`)
  }
  const isNamed = typeof samples[0].label === 'string'
  const other = samples.find(({ label }) => (typeof label === 'string') !== isNamed)
  if (other !== undefined) {
    throw fail(
      `${printable(other.path)} has the label ${printable(String(other.label))}, but ${printable(samples[0].path)} has ` +
        `${printable(String(samples[0].label))}; labels must be numbers or names, not both`,
    )
  }
  const classes = known ?? (isNamed ? sortedNames(samples) : numbered(samples))
  const numbers = new Map(classes.map((name, label) => [name, label]))
  const labels = samples.map(({ path, label }) => {
    const number = typeof label === 'string' ? (numbers.get(label) ?? -1) : label
    if (number >= 0 && number < classes.length) return number
    const what =
      typeof label === 'string' ? 'which is none of them' : `and they are numbered 0 to ${classes.length - 1}`
    throw fail(
      `${printable(path)} has the label ${printable(String(label))}; there are ${classes.length} classes, ${what}`,
    )
  })
  return { classes, labels: Int32Array.from(labels) }
}

function sortedNames(samples: readonly FoundSample[]): string[] {
  return [...new Set(samples.map(({ label }) => String(label)))].toSorted()
}

/** Names of numbered classes where nobody has given any. */
function numbered(samples: readonly FoundSample[]): string[] {
  const last = samples.reduce((max, { label }) => Math.max(max, Number(label)), 0)
  if (last > 10 * samples.length + 1000) {
    throw fail(`the label ${last} is far more than there are pictures; number classes from 0 on without gaps`)
  }
  return Array.from({ length: last + 1 }, (_, label) => `class ${label}`)
}

function unlabelled(where: string, bad: readonly UnreadablePicture[]): TarShardsError {
  return new TarShardsError(
    `openTarShards: no picture in ${where} has a label (${bad.length} ${bad.length === 1 ? 'picture' : 'pictures'}). Each needs its class beside it: a number in ` +
      'key.cls, or "label" in key.json; captions are not used',
    bad,
  )
}

function fail(problem: string): TarShardsError {
  return new TarShardsError(`openTarShards: ${problem}`)
}
