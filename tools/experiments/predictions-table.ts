/** Errors on held-out pictures, measured at a step of a run. */
export interface Measured {
  readonly set: string
  readonly process: string
  readonly seed: number
  readonly step: number
  readonly measures: Readonly<Record<string, number>>
}

const LEVELS = ['heldOutSnr100', 'heldOutSnr10', 'heldOutSnr1', 'heldOutSnr0.1', 'heldOutSnr0.01']

/** The last errors of each run as a table in Markdown: of each seed, and at each level the mean over the seeds. */
export function predictionsTable(all: readonly Measured[]): string {
  const names = [...new Set(all.map(({ set, process }) => `${set} ${process}`))]
  const rows = names.map((name) => {
    const ofName = all.filter(({ set, process }) => `${set} ${process}` === name)
    const last = [...new Set(ofName.map(({ seed }) => seed))].map((seed) => {
      return ofName.filter((each) => each.seed === seed).at(-1)!
    })
    const means = last.map(({ measures }) => measures['heldOut'].toPrecision(4)).join(', ')
    const levels = LEVELS.map((level) => {
      return (last.reduce((sum, { measures }) => sum + measures[level], 0) / last.length).toPrecision(3)
    })
    return `| ${[name, last[0].step, means, ...levels].join(' | ')} |`
  })
  return [
    '| set, process | steps | mean of each seed | SNR 100 | 10 | 1 | 0.1 | 0.01 |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
