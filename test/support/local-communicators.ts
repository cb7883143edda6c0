import type { Communicator, Floats, Transfer } from '@dit/collectives'

/** What a collective was given by a rank. */
type Given = { readonly values: Floats | Uint8Array; readonly part?: Floats; readonly root?: number }

/** A collective that waits for all ranks. */
interface Meeting {
  readonly given: (Given | undefined)[]
  readonly done: Promise<void>
  readonly finish: () => void
}

/** Communicators of ranks that all live in one thread and run as promises: for tests of what ranks do together. */
export function localCommunicators(size: number): Communicator[] {
  const meetings: Meeting[] = []
  const groups = new Map<string, Communicator[][]>()
  const meet = (index: number): Meeting => {
    if (meetings[index] === undefined) {
      let finish = () => {}
      const done = new Promise<void>((resolve) => (finish = resolve))
      meetings[index] = { given: Array.from({ length: size }), done, finish }
    }
    return meetings[index]
  }
  return Array.from({ length: size }, (_, rank) => {
    let count = 0
    const joined = new Map<string, number>()
    const begin = (given: Given, perform: (all: readonly Given[]) => void): Transfer => {
      const meeting = meet(count++)
      meeting.given[rank] = given
      if (!meeting.given.includes(undefined)) {
        perform(meeting.given as Given[])
        meeting.finish()
      }
      return { poll: () => false, wait: () => meeting.done }
    }
    return {
      name: 'local',
      rank,
      size,
      allReduce: (values) => begin({ values }, sumAll),
      reduceScatter: (values, part) => begin({ values, part }, scatterSums),
      allGather: (part, values) => begin({ values, part }, gatherParts),
      broadcast: (values, root = 0) =>
        begin({ values, root }, (all) => all.forEach((one) => one.values.set(all[root].values))),
      async group(ranks) {
        if (!ranks.includes(rank)) throw new RangeError(`group: ranks must hold this rank, ${rank} (got [${ranks}])`)
        // The n-th call of every member, with this list, is for the n-th group of it.
        const list = ranks.join()
        const nth = joined.get(list) ?? 0
        joined.set(list, nth + 1)
        const known = groups.get(list) ?? []
        groups.set(list, known)
        known[nth] ??= localCommunicators(ranks.length)
        return known[nth][ranks.indexOf(rank)]
      },
      poll() {},
      traffic: () => ({ bytes: 0, waitSeconds: 0 }),
      async close() {},
    }
  })
}

function sumOf(all: readonly Given[]): number[] {
  return Array.from(all[0].values, (_, i) => all.reduce((sum, { values }) => sum + values[i], 0))
}

function sumAll(all: readonly Given[]): void {
  const sums = sumOf(all)
  for (const { values } of all) values.set(sums)
}

function scatterSums(all: readonly Given[]): void {
  const sums = sumOf(all)
  all.forEach(({ part }, rank) => part!.set(sums.slice(rank * part!.length, (rank + 1) * part!.length)))
}

function gatherParts(all: readonly Given[]): void {
  for (const { values } of all) all.forEach(({ part }, rank) => values.set(part!, rank * part!.length))
}
