import { performance } from 'node:perf_hooks'
import { countedNetwork, type DiTConfig, initParams } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import { type Backend, dispose, randomNormal, randomStream, toFloat32Array } from '@dit/tensor'
import { imageShape } from '../case-files.js'
import type { EngineName } from '../engines.js'
import { small, tiny } from '../models.js'
import { onEachEngine } from '../on-each-engine.js'
import { median, spread } from '../statistics.js'
import { aligned } from '../table.js'
import { createTrainer } from '../workloads/training.js'

/** A line of the case `blocks`, for the record. */
export interface BlocksRow {
  readonly engine: string
  readonly threads: number
  readonly parts: string
  /** Multiply-adds of a forward pass of one picture. */
  readonly multiplyAdds: number
  /** A training step, median of all rounds. */
  readonly stepMs: number
  /** Over the step of plain blocks in the same round: the median, and third quartile less first. */
  readonly ratio: number
  readonly spread: number
}

export interface BlocksOptions {
  readonly engines: readonly EngineName[]
  readonly threads: readonly number[]
  readonly rounds: number
  /** DiT-S/2 at 64 or 256 tokens, or a model for tests. */
  readonly size: 64 | 256 | 'tiny'
  readonly log: (line: string) => void
}

const BATCH = 8

/** What the blocks are made of; the multiply-adds of SwiGLU's three narrower matrices are those of the two that it replaces. */
export const PARTS: Readonly<Record<string, Partial<DiTConfig>>> = {
  plain: {},
  'RMS norm': { norm: 'rms' },
  'QK norm': { norm: 'rms', qkNorm: true },
  RoPE: { rope: true },
  SwiGLU: { mlp: 'swiglu' },
  all: { norm: 'rms', qkNorm: true, rope: true, mlp: 'swiglu' },
}

/**
 * What the parts of newer transformers cost: training steps of networks that differ in nothing else, in turns. Unlike the other cases it
 * runs in this process, one engine after the other. Prints a table for each.
 */
export async function runBlocks(options: BlocksOptions): Promise<BlocksRow[]> {
  const { engines, threads, rounds, size, log } = options
  const base: DiTConfig = size === 'tiny' ? tiny : { ...small, inputSize: size === 64 ? 16 : 32 }
  const measureOn = async (backend: Backend, name: string) => {
    const measured = await measure(backend, base, rounds, (line) => log(`blocks on ${name}: ${line}`))
    log('')
    return measured
  }
  return onEachEngine(engines, threads, measureOn, blocksTable)
}

type Cost = Omit<BlocksRow, 'engine' | 'threads'>

async function measure(
  backend: Backend,
  base: DiTConfig,
  rounds: number,
  log: (line: string) => void,
): Promise<Cost[]> {
  const draw = (name: string) => randomNormal([BATCH, ...imageShape(base)], randomStream(0, 'bench', name), { backend })
  const batch = {
    xt: draw('xt'),
    noise: draw('noise'),
    timesteps: Int32Array.from({ length: BATCH }, (_, i) => 100 * i),
    labels: Int32Array.from({ length: BATCH }, (_, i) => i),
  }
  const rows = Object.entries(PARTS).map(([parts, config]) => {
    const model = { ...base, ...config }
    const trainer = createTrainer(backend, model, 'none')
    const start = initParams(model, { seed: 0, backend })
    for (const [name, value] of Object.entries(start)) {
      backend.kernels.copy(value, trainer.params[name])
      value.dispose()
    }
    return {
      parts,
      multiplyAdds: countMultiplyAdds(countedNetwork(model)).multiplyAdds,
      trainer,
      times: [] as number[],
    }
  })
  // The first round is not timed: caches and pages are cold, and code is not compiled.
  for (let round = 0; round <= rounds; round++) {
    log(`round ${round} of ${rounds}`)
    for (const { trainer, times } of rows) {
      const start = performance.now()
      const loss = trainer.gradients(batch)
      trainer.update()
      await toFloat32Array(loss)
      loss.dispose()
      if (round > 0) times.push(performance.now() - start)
    }
  }
  dispose([batch.xt, batch.noise])
  const plain = rows[0].times
  return rows.map(({ parts, multiplyAdds, times }) => {
    const ratios = times.map((ms, round) => ms / plain[round])
    return { parts, multiplyAdds, stepMs: median(times), ratio: median(ratios), spread: spread(ratios) }
  })
}

/** Costs as lines of text. */
export function blocksTable(engine: string, costs: readonly Cost[]): string {
  const head = ['blocks with', 'G multiply-adds', 'ms a step', 'over plain', 'spread']
  const lines = costs.map(({ parts, multiplyAdds, stepMs, ratio, spread: width }) => [
    parts,
    (multiplyAdds / 1e9).toFixed(3),
    stepMs.toFixed(1),
    ratio.toFixed(3),
    width.toFixed(3),
  ])
  return `blocks on ${engine}: a training step of batch ${BATCH}\n${aligned([head, ...lines])}`
}
