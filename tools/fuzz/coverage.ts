import { Session } from 'node:inspector'

/** Counts which blocks of our sources ran, and how often, through V8's own coverage: no instrumentation, no dependency. */
export interface Coverage {
  /**
   * Places and counts since the last call that are not known: how much an input has shown that is new.
   *
   * @param isKept whether they are known from now on
   */
  countNew(isKept: boolean): number
  /** Places known so far. */
  readonly blocks: number
}

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface CoverageResult {
  readonly result: readonly {
    readonly scriptId: string
    readonly url: string
    readonly functions: readonly { readonly ranges: readonly Range[] }[]
  }[]
}

/** @param isOurs which scripts count, by their address */
export function startCoverage(isOurs: (url: string) => boolean): Coverage {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true, allowTriggeredUpdates: false })
  const seen = new Set<string>()
  const places = new Set<string>()

  function countNew(isKept: boolean): number {
    let fresh = 0
    // In the same thread the answer comes before `post` returns.
    session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error
      for (const { scriptId, url, functions } of (answer as CoverageResult).result) {
        if (!isOurs(url)) continue
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            if (count === 0) continue
            const place = `${scriptId} ${startOffset} ${endOffset}`
            if (isKept) places.add(place)
            // Counts matter by their order of magnitude, or every loop would be news.
            const key = `${place} ${Math.floor(Math.log2(count))}`
            if (seen.has(key)) continue
            if (isKept) seen.add(key)
            fresh++
          }
        }
      }
    })
    return fresh
  }

  return {
    countNew,
    get blocks() {
      return places.size
    },
  }
}
