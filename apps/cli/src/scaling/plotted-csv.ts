import type { Analysis } from './analysis.js'

/** What is drawn, as CSV: each run with the law's loss there, the intervals of the law and of a run, and whether it was fitted. */
export function plottedCsv({ runs, fitted, law }: Analysis): string {
  const header = 'name,n,d,compute,budget,loss,law,law_low,law_high,run_low,run_high,fitted'
  const lines = runs.map((run) => {
    const { loss, law: ofLaw, run: ofRun } = law.predict(run.n, run.d)
    const name = /[",\n]/.test(run.name) ? `"${run.name.replaceAll('"', '""')}"` : run.name
    const numbers = [
      run.n,
      run.d,
      run.compute,
      run.budget ?? '',
      run.loss!,
      loss,
      ofLaw.low,
      ofLaw.high,
      ofRun.low,
      ofRun.high,
    ]
    return [name, ...numbers, fitted.includes(run) ? 'yes' : 'no'].join(',')
  })
  return `${[header, ...lines].join('\n')}\n`
}
