import type { SavedCounters, SavedParallel } from './counters.js'

/**
 * What would make a resumed run end in other numbers than an unbroken one.
 *
 * @returns one phrase for each difference, such as `the seed was 1 and is 2`
 */
export function resumeDifferences(
  before: SavedCounters,
  now: Pick<SavedCounters, 'engine' | 'seed' | 'steps' | 'model' | 'recipe' | 'parallel'>,
): string[] {
  const differences: string[] = []
  if (before.engine !== now.engine) differences.push(`the engine was ${before.engine} and is ${now.engine}`)
  if (before.seed !== now.seed) differences.push(`the seed was ${before.seed} and is ${now.seed}`)
  // A constant learning rate does not know how long the run will be.
  if (before.steps !== now.steps && now.recipe.decay !== 'constant') {
    differences.push(`the run was planned for ${before.steps} steps and now for ${now.steps}`)
  }
  differences.push(...parallelDifferences(before.parallel, now.parallel))
  for (const part of ['model', 'recipe'] as const) {
    const [old, fresh] = [before[part], now[part]].map((value) => value as unknown as Record<string, unknown>)
    for (const field of new Set([...Object.keys(old ?? {}), ...Object.keys(fresh)])) {
      const [was, is] = [old?.[field], fresh[field]].map((value) => JSON.stringify(value))
      // The name of a recipe is a label; the size of micro-batches moves rounding alone, but it does move it.
      if (was !== is && !(part === 'recipe' && field === 'name')) {
        differences.push(`${field} of the ${part} was ${was ?? 'absent'} and is ${is ?? 'absent'}`)
      }
    }
  }
  return differences
}

const ONE: SavedParallel = { workers: 1, communicator: 'single', shardOptimizer: false }

/** Sums of two are the same in any order; those of more are taken in the order of the communicator. */
function parallelDifferences(before = ONE, now = ONE): string[] {
  const workers = ({ workers: count }: SavedParallel) => `${count} worker${count === 1 ? '' : 's'}`
  if (before.workers !== now.workers) return [`the run had ${workers(before)} and has ${workers(now)}`]
  const differences: string[] = []
  if (before.workers > 2 && before.communicator !== now.communicator) {
    differences.push(`the workers were joined by ${before.communicator} and are by ${now.communicator}`)
  }
  if (before.shardOptimizer !== now.shardOptimizer) {
    const was = before.shardOptimizer ? 'was' : 'was not'
    differences.push(`the optimizer ${was} sharded and ${now.shardOptimizer ? 'is' : 'is not'}`)
  }
  return differences
}
