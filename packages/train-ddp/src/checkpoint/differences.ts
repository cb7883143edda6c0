import type { SavedCounters, SavedParallel } from './counters.js'

/**
 * What would make a resumed run end in other numbers than an unbroken one.
 *
 * @returns one phrase for each difference, such as `the seed was 1 and is 2`
 */
export function resumeDifferences(
  before: SavedCounters,
  now: Pick<SavedCounters, 'engine' | 'seed' | 'steps' | 'objective' | 'optimizer' | 'recipe' | 'parallel'>,
): string[] {
  const differences: string[] = []
  if (before.engine !== now.engine) differences.push(`the engine was ${before.engine} and is ${now.engine}`)
  if (before.seed !== now.seed) differences.push(`the seed was ${before.seed} and is ${now.seed}`)
  // A constant learning rate does not know how long the run will be.
  if (before.steps !== now.steps && now.recipe.decay !== 'constant') {
    differences.push(
      `the run was planned for ${before.steps} steps and now for ${now.steps}, which changes the course of its learning rate`,
    )
  }
  differences.push(...parallelDifferences(before.parallel, now.parallel))
  // The name of a recipe is a label; the size of micro-batches moves rounding alone, but it does move it.
  const [recipeBefore, recipeNow] = [before.recipe, now.recipe].map(({ name: _name, ...settings }) => settings)
  differences.push(
    ...leafDifferences('objective', before.objective, now.objective),
    ...leafDifferences('optimizer', before.optimizer, now.optimizer),
    ...leafDifferences('recipe', recipeBefore, recipeNow),
  )
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

/** One phrase for each value that differs, such as `learningRate of the recipe was 0.1 and is 0.2`. Order of keys does not count. */
function leafDifferences(part: string, before: unknown, now: unknown, path: readonly string[] = []): string[] {
  if (isObject(before) && isObject(now)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(now)])
    return [...keys].flatMap((key) => leafDifferences(part, before[key], now[key], [...path, key]))
  }
  const [was, is] = [before, now].map((value) => JSON.stringify(value))
  if (was === is) return []
  const where = path.length === 0 ? `the ${part}` : `${path.join('.')} of the ${part}`
  return [`${where} was ${was ?? 'absent'} and is ${is ?? 'absent'}`]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
