import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Mpi } from '../../../../test/support/find-mpi.js'
import { runJob } from '../../../../test/support/run-job.js'
import type { Case, CaseResult } from '../jobs/training.js'

const STEPS = 4

/** Recomputation, accumulation and sharding, alone and together. `again` is a second run of the first. */
const cases: Record<string, Case> = {
  plain: { steps: STEPS },
  again: { steps: STEPS },
  recompute: { steps: STEPS, recompute: 'block' },
  recomputeOne: { steps: STEPS, recompute: 1 },
  accumulate: { steps: STEPS, microBatchSize: 1 },
  shard: { steps: STEPS, shardOptimizer: true },
  ownFiles: { steps: STEPS, shardCheckpoint: true },
  shardOwnFiles: { steps: STEPS, shardOptimizer: true, shardCheckpoint: true },
  all: { steps: STEPS, microBatchSize: 1, recompute: 'block', shardOptimizer: true },
}

const known = new Map<string, Promise<Record<string, CaseResult>>>()

/** Results of all cases, computed once. */
function results(workers: number, mpi: Mpi | null): Promise<Record<string, CaseResult>> {
  return once(`${workers} ${mpi?.name}`, () => compute(cases, workers, mpi))
}

/** What one worker computes in the plain way. */
async function resultOfOne(): Promise<CaseResult> {
  return (await once('plain', () => compute({ plain: cases['plain'] }, 1, null)))['plain']
}

function once(key: string, compute: () => Promise<Record<string, CaseResult>>): Promise<Record<string, CaseResult>> {
  const results = known.get(key) ?? compute()
  known.set(key, results)
  return results
}

async function compute(
  cases: Record<string, Case>,
  workers: number,
  mpi: Mpi | null,
): Promise<Record<string, CaseResult>> {
  const folder = mkdtempSync(join(tmpdir(), 'dit-ddp-'))
  try {
    const result = join(folder, 'result.json')
    const ended = await runJob(new URL('../jobs/training.ts', import.meta.url), { cases, result }, workers, mpi)
    if (ended.code !== 0) throw new Error(`the job ended with ${ended.code}: ${ended.stderr}`)
    return JSON.parse(readFileSync(result, 'utf8')) as Record<string, CaseResult>
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Largest difference of gradients over the largest gradient. */
function apart(a: readonly number[], b: readonly number[]): number {
  const size = Math.max(...b.map(Math.abs))
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / size
}

/** Trains with the gradients of one worker, and with the same bits for every run and with recomputation. */
export async function expectLikeOne(workers: number, mpi: Mpi | null): Promise<void> {
  const [reference, several] = [await resultOfOne(), await results(workers, mpi)]
  for (const [name, result] of Object.entries(several)) {
    expect(result.gradient.length, name).toBe(reference.gradient.length)
    // Sums of 8 examples in another order: some rounding errors of float32 (6e-8) on terms that partly cancel.
    expect(apart(result.gradient, reference.gradient), name).toBeLessThan(2e-6)
    result.losses.forEach((loss, step) => expect(loss / reference.losses[step], name).toBeCloseTo(1, 4))
    result.gradNorms.forEach((norm, step) => expect(norm / reference.gradNorms[step], name).toBeCloseTo(1, 3))
  }
  const { plain, again, recompute, recomputeOne, shard, ownFiles, shardOwnFiles } = several
  expect(again).toEqual(plain)
  expect(recompute).toEqual(plain)
  expect(recomputeOne).toEqual(plain)
  expect(ownFiles).toEqual(plain)
  expect(shardOwnFiles).toEqual(shard)
}

/** Sums are the same bits with and without sharding where their order is: of two always, on threads for any number. */
export async function expectSameShardedSums(workers: number, mpi: Mpi | null): Promise<void> {
  const { plain, accumulate, shard, all } = await results(workers, mpi)
  expect(shard.gradient).toEqual(plain.gradient)
  expect(all.gradient).toEqual(accumulate.gradient)
}
