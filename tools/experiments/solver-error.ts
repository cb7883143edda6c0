// How far from the solution each solver ends, against how often it calls the network, on trained models:
//
//   npm run experiment -- solver-error --run <run> [--run <run>] --out <file.json> [--svg <file.svg>] [--spacing usual --spacing linspace]
//
// For one picture of each class, the same noise, no clipping and no guidance. The error of a picture is the root mean square over
// its pixels of the difference from the same ODE solved in a thousand steps or more, in levels of 255; the median over the pictures
// counts, as now and then one turns into another picture. What that solution lacks itself is printed (half its steps). Solvers with fresh noise have no such solution and are left out.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { cpu } from '@dit/backend-cpu'
import type { Spacing } from '@dit/schedules'
import type { Params } from '@dit/tensor'
import { isFlow } from '@dit/diffusion'
import { lastSamples, openPipeline, requireDiT, type SamplerName } from '@dit/pipeline'
import { openModel } from '@dit/pipeline/node'
import { type ErrorCurve, type SolverErrors, solverErrorPlot } from './solver-error-plot.js'

const STEPS = [3, 4, 5, 6, 8, 10, 14, 20, 28, 40, 56, 80]
const FEWEST: Partial<Record<SamplerName, number>> = { plms: 4 }
const SOLVERS = {
  gaussian: ['euler', 'heun', 'dpmpp-2s', 'dpmpp-2m', 'dpmpp-3m', 'unipc', 'deis', 'lms', 'plms'],
  flow: ['euler', 'heun', 'midpoint', 'rk4', 'dpmpp-2m', 'unipc', 'deis', 'lms'],
} as const satisfies Record<string, readonly SamplerName[]>
const EXACT = {
  gaussian: { sampler: 'dpmpp-2m', steps: 1000, spacing: 'exponential' },
  flow: { sampler: 'rk4', steps: 400, spacing: undefined },
} as const

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== 'solver-error'),
  options: {
    run: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
    svg: { type: 'string' },
    spacing: { type: 'string', multiple: true, default: ['usual'] },
  },
})
const { out, svg, run: runs } = values
if (out === undefined) throw new Error('solver-error: --out is needed')

const results: SolverErrors[] = runs.length === 0 ? (JSON.parse(readFileSync(out, 'utf8')) as SolverErrors[]) : []
for (const run of runs) results.push(await measure(run))
writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`)
if (svg !== undefined) writeFileSync(svg, solverErrorPlot(results))

async function measure(folder: string): Promise<SolverErrors> {
  const opened = await openModel(folder)
  const { process, step } = opened
  if (process === null || step === null) throw new Error(`solver-error: ${folder} must be a run`)
  const { network: model } = requireDiT(opened, 'this experiment').description
  const backend = await cpu()
  const params = (await opened.load(backend)) as Params
  await opened.close()
  let reads = 0
  const counted = new Proxy(params, {
    get(target: Params, name: string) {
      if (name === 'x_embedder.proj.weight') reads++
      return target[name]
    },
  })
  const labels = Int32Array.from({ length: model.numClasses }, (_, label) => label)
  const sample = async (sampler: SamplerName, steps: number, spacing?: Spacing) => {
    reads = 0
    const options = { labels, clip: false, seed: 0, sampler, steps, ...(spacing === undefined ? {} : { spacing }) }
    return { images: await lastSamples(pipeline.sample(options)), reads }
  }
  const pipeline = await openPipeline({ network: model, process, params: counted }, { backend })
  // The first call checks the parameters, and reads them once more.
  await sample('euler', 1)
  const readsOfCall = (await sample('euler', 1)).reads
  const kind = isFlow(process) ? 'flow' : 'gaussian'
  const exact = EXACT[kind]
  const { images: solution } = await sample(exact.sampler, exact.steps, exact.spacing)
  const lack = distance((await sample(exact.sampler, exact.steps / 2, exact.spacing)).images, solution, labels.length)
  console.log(`${kind}, step ${step}: the solution is ${lack.toExponential(1)} levels from that of half its steps`)
  const curves: ErrorCurve[] = []
  for (const spacing of values.spacing) {
    const asked = spacing === 'usual' ? undefined : (spacing as Spacing)
    for (const sampler of SOLVERS[kind]) {
      const points: { steps: number; calls: number; error: number }[] = []
      for (const steps of STEPS.filter((count) => count >= (FEWEST[sampler] ?? 1))) {
        const { images, reads: seen } = await sample(sampler, steps, asked)
        points.push({ steps, calls: seen / readsOfCall, error: distance(images, solution, labels.length) })
      }
      curves.push({ sampler, spacing, points })
      console.log(spacing, sampler, points.map(({ calls, error }) => `${calls}:${error.toPrecision(3)}`).join(' '))
    }
  }
  for (const tensor of Object.values(params)) tensor.dispose()
  await backend.dispose()
  const prediction = (isFlow(process) ? process.prediction : process.meanType) ?? 'epsilon'
  return { process: kind, prediction, pictures: labels.length, trainedSteps: step, lack, curves }
}

/** Median over the pictures of the root mean square of the difference, in levels of 255. */
function distance(a: Float32Array, b: Float32Array, pictures: number): number {
  const size = a.length / pictures
  const each = Array.from({ length: pictures }, (_, picture) => {
    const [start, end] = [picture * size, (picture + 1) * size]
    const squares = a.subarray(start, end).reduce((sum, value, i) => sum + (value - b[start + i]) ** 2, 0)
    return 127.5 * Math.sqrt(squares / size)
  })
  return each.toSorted((first, second) => first - second)[pictures >> 1]
}
