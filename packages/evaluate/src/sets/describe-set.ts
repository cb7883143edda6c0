import type { SetDescription } from '../evaluation.js'
import type { SideStatistics } from '../measures/measured.js'
import type { Plan } from '../plan.js'
import { textDigest } from './digest.js'
import { classCounts, type PictureSet } from './picture-set.js'

/** A set as results name it; its fingerprint is of its pictures and their classes. */
export async function describeSet(set: PictureSet, digests: readonly string[]): Promise<SetDescription> {
  const { name, kind, count, size, classNames, labels } = set
  const classes = labels === null ? null : Array.from(labels, (label) => classNames[label])
  return {
    name,
    kind,
    count,
    size,
    classNames,
    classCounts: classCounts(set),
    fingerprint: await textDigest(JSON.stringify([digests, classes])),
  }
}

/** Statistics as results name them. */
export async function describeReference({ pooled }: SideStatistics, { options }: Plan): Promise<SetDescription> {
  const { mean, covariance, count } = pooled
  return {
    name: options.names?.real?.name ?? 'statistics',
    kind: 'statistics',
    // A file of statistics does not always say.
    count: count ?? 0,
    size: null,
    classNames: [],
    classCounts: null,
    fingerprint: await textDigest(JSON.stringify([Array.from(mean), checksum(covariance)])),
  }
}

/** A short stand-in for a matrix of millions of numbers. */
function checksum(matrix: Float64Array): number[] {
  const sums = [0, 0]
  matrix.forEach((value, i) => {
    sums[0] += value
    sums[1] += value * ((i % 8191) + 1)
  })
  return sums
}
