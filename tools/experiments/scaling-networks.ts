// Networks at equal compute: held-out error and a distance of samples over the compute of training, from tables of `dit scaling run`.
//
//   npm run experiment -- scaling-networks <tables...> [--measure kid] [--svg file]
//
// Runs belong together by the model's name, with which `dit scaling run` begins theirs.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readResults } from '../../apps/cli/src/scaling/read-results.js'
import type { MeasuredValue } from '../../apps/cli/src/scaling/row-measures.js'
import { MEASURES, type MeasureName } from '../../packages/evaluate/src/index.js'
import { type MeasuredModel, modelsOf, networksPlot } from './scaling-networks-plot.js'

const { values, positionals } = parseArgs({
  args: process.argv.slice(3),
  allowPositionals: true,
  options: { measure: { type: 'string', default: 'kid' }, svg: { type: 'string' } },
})
const measure = MEASURES.find((name) => name === values.measure)
if (measure === undefined)
  throw new RangeError(`scaling-networks: --measure must be one of ${MEASURES.join(', ')} (got ${values.measure})`)
const models = modelsOf(await readResults(positionals), measure)
console.log(tableOf(models, measure))
if (values.svg !== undefined) writeFileSync(values.svg, networksPlot(models, measure))

/** One row a model and budget; several seeds give their mean and range. */
function tableOf(all: readonly MeasuredModel[], name: MeasureName): string {
  const rows = all.flatMap(({ name, kind, params, multiplyAdds, budgets }) =>
    budgets.map(({ budget, runs }) => {
      const losses = runs.map(({ loss }) => loss)
      const measured = runs.map(({ value }) => (value === null ? '' : measuredText(value)))
      const loss =
        losses.length === 1
          ? losses[0].toFixed(4)
          : `${mean(losses).toFixed(4)} (${Math.min(...losses).toFixed(4)} to ${Math.max(...losses).toFixed(4)})`
      return `| ${name} | ${kind} | ${(params / 1e6).toFixed(2)} M | ${(multiplyAdds / 1e6).toFixed(1)} M | ${budget.toExponential()} | ${loss} | ${measured.join(', ')} |`
    }),
  )
  return [
    `| model | kind | parameters | multiply-adds | budget | held-out error | ${name} |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function measuredText({ value, low, high }: MeasuredValue): string {
  return low === null || high === null
    ? value.toFixed(3)
    : `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
