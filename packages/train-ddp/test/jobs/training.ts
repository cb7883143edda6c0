import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { cpu } from '@dit/backend-cpu'
import { type Communicator, memoryRunStore, train } from '../../src/index.js'
import { tinyData, tinyModel, tinyRecipe } from '../setting.js'
import { join } from './join.js'

/** What a case of the job does; see `parallel-training.test.ts`. */
export interface Case {
  readonly recompute?: 'none' | 'block' | number
  readonly microBatchSize?: number
  readonly shardOptimizer?: boolean
  readonly steps: number
}

export interface CaseResult {
  readonly losses: number[]
  readonly gradNorms: number[]
  /** First moment after the first step, a tenth of the gradient, all tensors joined; clipping is off. */
  readonly gradient: number[]
  /** Of the files of the last checkpoint. */
  readonly hashes: Record<string, string>
}

/** Two blocks and a batch that 4 workers share unevenly with micro-batches of 1 and 2. */
const model = { ...tinyModel, depth: 2, numClasses: 3 }
const recipe = { ...tinyRecipe, batchSize: 8, maxGradientNorm: null }

async function runCase(communicator: Communicator, { microBatchSize, ...options }: Case): Promise<CaseResult> {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const store = memoryRunStore()
  const [losses, gradNorms]: number[][] = [[], []]
  const run = train({
    model,
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
  for (const name of ['model', 'ema', 'optimizer']) {
    const bytes = (await store.read(`${last}/${name}.safetensors`))!
    hashes[name] = createHash('sha256').update(bytes).digest('hex')
  }
  const file = await store.openTensors('checkpoints/step-0000001/optimizer.safetensors')
  const gradient: number[] = []
  for (const name of file.entries.keys()) {
    if (name.startsWith('exp_avg.')) gradient.push(...(await file.float32(name)))
  }
  return { losses, gradNorms, gradient, hashes }
}

await join(import.meta.url, async (communicator) => {
  const { cases, result } = JSON.parse(process.argv[2]) as { cases: Record<string, Case>; result: string }
  const results: Record<string, CaseResult> = {}
  for (const [name, one] of Object.entries(cases)) results[name] = await runCase(communicator, one)
  if (communicator.rank === 0) writeFileSync(result, JSON.stringify(results))
})
