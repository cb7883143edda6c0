import { defaultWindow, smooth } from '../plot/smooth.js'
import { formatCount, isNumber } from './format-number.js'
import type { Html } from './html.js'
import { type Line, lineChart } from './line-chart.js'
import { capitalised } from './measure-words.js'
import type { RunReport } from './run-page.js'

/** Charts of a run: loss, learning rate, held-out errors, and whatever else was measured. */
export function learningCurves({ records, evaluations, best }: RunReport): Html[] {
  const lastStep = Math.max(records.at(-1)!.step, evaluations.at(-1)?.step ?? 0)
  const mark = best === null ? null : { step: best.step, text: `best checkpoint, step ${formatCount(best.step)}` }
  const steps = records.map(({ step }) => step)
  const losses = records.map(({ loss }) => loss)
  const window = defaultWindow(losses.length)
  const smoothed = smooth(losses, window)
  return [
    lineChart({
      title: 'Loss',
      lastStep,
      lines: [
        ...(window < 3
          ? []
          : [{ name: 'loss of single steps', steps, values: losses, look: 'points', isFaint: true } as const]),
        { name: window < 3 ? 'loss' : `mean of ${formatCount(window)} steps`, steps, values: smoothed, look: 'line' },
      ],
      mark,
    }),
    ...heldOutCharts(),
    ...measureCharts(),
    lineChart({
      title: 'Learning rate',
      lastStep,
      scale: 'linear',
      lines: [{ name: 'learning rate', steps, values: records.map(({ learningRate }) => learningRate), look: 'line' }],
    }),
  ]

  function heldOutCharts(): Html[] {
    const names = namesOf(records.map(({ measures }) => measures)).filter((name) => name.startsWith('heldOut'))
    const mean = names.filter((name) => name === 'heldOut').map((name) => measured(name, 'squared error of x0'))
    const atRatios = names
      .filter((name) => name.startsWith('heldOutSnr'))
      .map((name) => measured(name, `signal to noise ${name.slice('heldOutSnr'.length)}`))
    return [
      lineChart({ title: 'Error on held-out pictures', lastStep, lines: mean, mark }),
      lineChart({ title: 'Held-out error by signal-to-noise ratio', lastStep, lines: atRatios, mark }),
    ]
  }

  function measureCharts(): Html[] {
    const results = evaluations.flatMap(({ step, measures }) => measures.map((result) => ({ step, result })))
    const byName = new Map<string, typeof results>()
    for (const each of results) byName.set(each.result.measure, [...(byName.get(each.result.measure) ?? []), each])
    const charts = [...byName.values()].map((points) => {
      const floor = points.at(-1)!.result.floor
      return lineChart({
        title: capitalised(points[0].result.title),
        lastStep,
        scale: 'linear',
        lines: [
          {
            name: points.some(({ result }) => result.interval !== null) ? 'value, with interval' : 'value',
            steps: points.map(({ step }) => step),
            values: points.map(({ result }) => result.value),
            intervals: points.map(({ result }) => result.interval),
          },
        ],
        level: floor === null ? null : { value: floor.value, text: 'floor: real against real' },
        mark,
      })
    })
    const others = namesOf(records.map(({ measures }) => measures)).filter(
      (name) => !name.startsWith('heldOut') && !byName.has(name),
    )
    return [
      ...charts,
      ...others.map((name) => lineChart({ title: name, lastStep, lines: [measured(name, name)], mark })),
    ]
  }

  function measured(name: string, title: string): Line {
    const those = records.filter(({ measures }) => isNumber(measures?.[name]))
    return { name: title, steps: those.map(({ step }) => step), values: those.map(({ measures }) => measures![name]) }
  }
}

function namesOf(measures: readonly (Readonly<Record<string, number>> | undefined)[]): string[] {
  return [...new Set(measures.flatMap((each) => (each === undefined ? [] : Object.keys(each))))]
}
