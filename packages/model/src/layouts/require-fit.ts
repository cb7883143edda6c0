import type { TensorFile } from '@dit/checkpoint'
import type { Shape } from '@dit/tensor'
import { compareShapes } from '../compare-shapes.js'
import type { DiTConfig } from '../config.js'
import { parameterShapes } from '../parameter-shapes.js'
import { LayoutError } from './error.js'

/** Throws a LayoutError where a file's names and shapes are not those that a configuration needs. */
export function requireFit(
  config: DiTConfig,
  expected: ReadonlyMap<string, Shape>,
  found: ReadonlyMap<string, Shape>,
  optional?: ReadonlySet<string>,
): void {
  const difference = compareShapes(expected, found, optional)
  if (difference === null) return
  const { depth, hiddenSize, patchSize } = config
  throw new LayoutError(
    `weights: they must be those of a DiT of depth ${depth}, width ${hiddenSize} and patch ${patchSize}`,
    difference,
  )
}

/** A configuration from a file must not ask for more names than a file can have: each would be made first. */
export function boundedDepth(config: DiTConfig, numEntries: number): DiTConfig {
  if (config.depth <= numEntries) return config
  throw new RangeError(`weights: depth must be at most the number of tensors, ${numEntries} (got ${config.depth})`)
}

/** Throws a LayoutError where a file does not have exactly the parameters of a configuration. */
export function requireParameters(config: DiTConfig, { entries }: Pick<TensorFile, 'entries'>): void {
  const expected = parameterShapes(boundedDepth(config, entries.size))
  const found = new Map([...entries].map(([name, { shape }]) => [name, shape]))
  requireFit(config, new Map(Object.entries(expected)), found)
}
