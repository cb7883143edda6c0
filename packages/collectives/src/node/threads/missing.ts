import { countIndex, type Phase, type ThreadGroup, waitIndex } from './group.js'
import { type Meeting, meetingAt } from './meeting.js'

/**
 * The ranks that a rank waits for in vain: those that have not come as far as its chunk. One that itself waits, maybe in another
 * group, is not to blame: those are that it waits for.
 *
 * @returns ranks of the whole job, in order; empty where all wait for each other
 */
export function missingRanks(group: ThreadGroup, rank: number, meeting: Meeting): number[] {
  const header = new Int32Array(group.counters)
  const [seen, missing] = [new Set<number>(), new Set<number>()]
  const ask = (of: number, where: Meeting) => {
    seen.add(of)
    for (const other of behind(of, where)) {
      const waitsIn = Atomics.load(header, waitIndex(other))
      if (waitsIn === 0) missing.add(other)
      else if (!seen.has(other)) ask(other, meetingAt(group, waitsIn))
    }
  }
  ask(rank, meeting)
  return [...missing].toSorted((a, b) => a - b)
}

/** Members that a member's chunk waits for: those that have not written it, or else have not summed their share. */
function behind(rank: number, { ranks, counts }: Meeting): number[] {
  const chunk = Atomics.load(counts, countIndex('consumed', ranks.indexOf(rank)))
  const before = (phase: Phase) =>
    ranks.filter((of, member) => of !== rank && Atomics.load(counts, countIndex(phase, member)) <= chunk)
  const late = before('arrived')
  return late.length > 0 ? late : before('reduced')
}
