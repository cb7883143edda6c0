import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join as joinPath } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { openPart } from '../../src/checkpoint/open-part.js'
import { classConditional, type Communicator, memoryRunStore, type RunStore, train } from '../../src/index.js'
import { folderRunStore } from '../../src/node/index.js'
import { tinyData, tinyModel, tinyRecipe } from '../setting.js'
import { join } from '../../../../test/support/join.js'

/** What a case of the job does; see `parallel-training.test.ts`. */
export interface Case {
  readonly recompute?: 'none' | 'block' | number
  readonly microBatchSize?: number
  readonly shardOptimizer?: boolean
  /** Every rank writes its part of a checkpoint, into a folder. */
  readonly shardCheckpoint?: boolean
  readonly steps: number
}

export interface CaseResult {
  readonly losses: number[]
  readonly gradNorms: number[]
  /** First moment after the first step, a tenth of the gradient, all tensors joined; clipping is off. */
  readonly gradient: number[]
  /** Of the tensors of the last checkpoint, by part. */
  readonly hashes: Record<string, string>
}

/** Two blocks and a batch that 4 workers share unevenly with micro-batches of 1 and 2. */
const objective = classConditional({ ...tinyModel, depth: 2, numClasses: 3 })
const recipe = { ...tinyRecipe, batchSize: 8, maxGradientNorm: null }

async function runCase(
  communicator: Communicator,
  { microBatchSize, ...options }: Case,
  folder: string,
): Promise<CaseResult> {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const store =
    options.shardCheckpoint === true ? folderRunStore(folder, { isMember: communicator.rank > 0 }) : memoryRunStore()
  const [losses, gradNorms]: number[][] = [[], []]
  const run = train({
    objective,
    recipe: { ...recipe, microBatchSize },
    data: tinyData(recipe.batchSize),
    backend,
    seed: 5,
    store,
    communicator,
    bucketBytes: 2048,
    checkpoint: { every: 1, keepLast: options.steps },
    ...options,
  })
  for await (const event of run) {
    if (event.type !== 'step') continue
    losses.push(event.record.loss)
    gradNorms.push(event.record.gradNorm)
  }
  await backend.dispose()
  if (communicator.rank !== 0) return { losses, gradNorms, gradient: [], hashes: {} }
  const last = `checkpoints/step-${String(options.steps).padStart(7, '0')}`
  const hashes: Record<string, string> = {}
  for (const part of ['model', 'ema', 'optimizer'] as const) hashes[part] = await hashOf(store, last, part)
  const file = await openPart(store, 'checkpoints/step-0000001', 'optimizer')
  const gradient: number[] = []
  for (const name of [...file.entries.keys()].toSorted()) {
    if (name.startsWith('exp_avg.')) gradient.push(...(await file.float32(name)))
  }
  await file.close()
  return { losses, gradNorms, gradient, hashes }
}

async function hashOf(store: RunStore, path: string, part: 'model' | 'ema' | 'optimizer'): Promise<string> {
  const hash = createHash('sha256')
  const file = await openPart(store, path, part)
  for (const name of [...file.entries.keys()].toSorted()) hash.update(name).update(await file.float32(name))
  await file.close()
  return hash.digest('hex')
}

await join(import.meta.url, async (communicator) => {
  const { cases, result } = JSON.parse(process.argv[2]) as { cases: Record<string, Case>; result: string }
  const results: Record<string, CaseResult> = {}
  for (const [name, one] of Object.entries(cases)) {
    const folder = joinPath(dirname(result), name)
    mkdirSync(folder, { recursive: true })
    results[name] = await runCase(communicator, one, folder)
  }
  if (communicator.rank === 0) writeFileSync(result, JSON.stringify(results))
})
