import type { SavedCounters } from './counters.js'

/**
 * What would make a resumed run end in other numbers than an unbroken one.
 *
 * @returns one phrase for each difference, such as `the seed was 1 and is 2`
 */
export function resumeDifferences(
  before: SavedCounters,
  now: Pick<SavedCounters, 'engine' | 'seed' | 'steps' | 'model' | 'recipe'>,
): string[] {
  const differences: string[] = []
  if (before.engine !== now.engine) differences.push(`the engine was ${before.engine} and is ${now.engine}`)
  if (before.seed !== now.seed) differences.push(`the seed was ${before.seed} and is ${now.seed}`)
  // A constant learning rate does not know how long the run will be.
  if (before.steps !== now.steps && now.recipe.decay !== 'constant') {
    differences.push(`the run was planned for ${before.steps} steps and now for ${now.steps}`)
  }
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
