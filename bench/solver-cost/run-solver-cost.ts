import { performance } from 'node:perf_hooks'
import type { Denoise } from '@dit/diffusion'
import { type DiTConfig, forward, initParams } from '@dit/model'
import { lastStep } from '@dit/sampler'
import { type Backend, dispose, randomNormal, randomStream, slice, type Tensor } from '@dit/tensor'
import { imageShape } from '../case-files.js'
import type { EngineName } from '../engines.js'
import { small, tiny } from '../models.js'
import { onEachEngine } from '../on-each-engine.js'
import { median, spread } from '../statistics.js'
import { aligned } from '../table.js'
import { type CostedSolver, SOLVERS, STEPS } from './solvers.js'

/** A line of the case `solver-cost`, for the record. */
export interface SolverCostRow {
  readonly engine: string
  readonly threads: number
  readonly solver: string
  /** Calls of the network, over the steps. */
  readonly callsPerStep: number
  /** What a step costs beside its calls: median of all rounds. */
  readonly stepMs: number
  /** What a call costs: the forward pass of the model, median of all rounds. */
  readonly forwardMs: number
  /** A step over its calls, in the same round, in percent: the median, and third quartile less first. */
  readonly percent: number
  readonly spread: number
}

export interface SolverCostOptions {
  readonly engines: readonly EngineName[]
  readonly threads: readonly number[]
  readonly rounds: number
  /** DiT-S/2 on latents of pictures of 256 x 256, or a model for tests. */
  readonly size: 'small' | 'tiny'
  readonly log: (line: string) => void
}

/** Above this share of its calls a solver is dear. */
export const MOST_PERCENT = 2

const BATCH = 8

/**
 * What solvers cost beside the network: each along a path with a `Denoise` that returns tensors which it holds, in turns with the
 * forward pass that it stands for. Unlike the other cases it runs in this process, one engine after the other. Prints a table for each.
 */
export async function runSolverCost(options: SolverCostOptions): Promise<SolverCostRow[]> {
  const { engines, threads, rounds, size, log } = options
  const model: DiTConfig = size === 'tiny' ? tiny : { ...small, inputSize: 32 }
  const measureOn = async (backend: Backend, name: string) => {
    const measured = await measure(backend, model, rounds, (line) => log(`solver-cost on ${name}: ${line}`))
    log('')
    return measured
  }
  return onEachEngine(engines, threads, measureOn, solverCostTable)
}

type Cost = Omit<SolverCostRow, 'engine' | 'threads'>

async function measure(
  backend: Backend,
  model: DiTConfig,
  rounds: number,
  log: (line: string) => void,
): Promise<Cost[]> {
  const shape = [BATCH, ...imageShape(model)]
  const draw = (name: string) => randomNormal(shape, randomStream(0, 'bench', name), { backend })
  const [xT, x0, noise, velocity] = ['xT', 'x0', 'noise', 'velocity'].map(draw)
  const params = initParams(model, { seed: 0, backend })
  const labels = new Int32Array(BATCH)
  let calls = 0
  const free: Denoise = () => {
    calls++
    return { x0, noise, velocity }
  }
  const passes: number[] = []
  const steps = new Map<CostedSolver, { ms: number[]; percent: number[]; callsPerStep: number }>()
  // The first round is not timed: caches and pages are cold, and code is not compiled.
  for (let round = 0; round <= rounds; round++) {
    log(`round ${round} of ${rounds}`)
    const pass = await timed(async () => {
      const output = forward(model, params, { xt: xT, timesteps: new Int32Array(BATCH).fill(500), labels })
      await settled(output)
      output.dispose()
    })
    if (round > 0) passes.push(pass)
    for (const solver of SOLVERS) {
      calls = 0
      const ms = await timed(async () => {
        const end = await lastStep(solver.solve(solver.path, free, xT))
        await settled(end)
        end.dispose()
      })
      const found = steps.get(solver) ?? { ms: [], percent: [], callsPerStep: calls / STEPS }
      steps.set(solver, found)
      if (round === 0) continue
      found.ms.push(ms / STEPS)
      found.percent.push((100 * ms) / (calls * pass))
    }
  }
  dispose([xT, x0, noise, velocity])
  dispose(params)
  return Array.from(steps, ([{ name }, { ms, percent, callsPerStep }]) => ({
    solver: name,
    callsPerStep,
    stepMs: median(ms),
    forwardMs: median(passes),
    percent: median(percent),
    spread: spread(percent),
  }))
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Waits until the engine has made it. */
async function settled(x: Tensor): Promise<void> {
  const one = slice(x, 0, 0, 1)
  await one.data()
  one.dispose()
}

/** Costs as lines of text, those above the limit marked. */
export function solverCostTable(engine: string, costs: readonly Cost[]): string {
  const head = ['solver', 'calls a step', 'ms a step', '% of its calls', 'spread', '']
  const lines = costs.map(({ solver, callsPerStep, stepMs, percent, spread: width }) => [
    solver,
    callsPerStep.toFixed(2),
    stepMs.toFixed(3),
    percent.toFixed(3),
    width.toFixed(3),
    percent > MOST_PERCENT ? `above ${MOST_PERCENT} %` : '',
  ])
  const dear = costs.filter(({ percent }) => percent > MOST_PERCENT).length
  const verdict = dear === 0 ? `none above ${MOST_PERCENT} %` : `${dear} above ${MOST_PERCENT} %`
  const call = costs[0].forwardMs.toFixed(1)
  return `solver-cost on ${engine}: a call is a forward pass of ${call} ms\n${aligned([head, ...lines])}\n  ${verdict}`
}
