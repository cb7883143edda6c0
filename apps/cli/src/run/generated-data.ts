import { type Dataset, SHAPE_CLASSES, shapesDataset, SPRITE_CLASSES, spritesDataset } from '@dit/data'
import { UsageError } from '../terminal/errors.js'
import type { DataConfig } from './run-config.js'

/** Data sets that dit draws itself, as `--data` names them. */
export const GENERATED_NAMES = ['shapes', 'sprites'] as const
export type GeneratedName = (typeof GENERATED_NAMES)[number]

/** Generated data of a run. */
export type GeneratedConfig = Extract<DataConfig, { kind: GeneratedName }>

/** Examples of a generated data set: they are drawn when read, so that many cost nothing. */
export const GENERATED_LENGTH = 60_000

/** Classes of each generated data set. */
export const GENERATED_CLASSES: Readonly<Record<GeneratedName, readonly string[]>> = {
  shapes: SHAPE_CLASSES,
  sprites: SPRITE_CLASSES,
}

/** Whether `--data` names a generated data set. */
export function isGeneratedName(data: string): data is GeneratedName {
  return GENERATED_NAMES.some((name) => name === data)
}

/** Whether a run's data are generated. */
export function isGenerated(data: DataConfig): data is GeneratedConfig {
  return isGeneratedName(data.kind)
}

/**
 * Opens a generated data set.
 *
 * @throws UsageError where it cannot be drawn at this size
 */
export function openGenerated(
  kind: GeneratedName,
  size: number,
): { dataset: Dataset; config: GeneratedConfig; close(): Promise<void> } {
  if (kind === 'shapes' && size < 4) throw new UsageError(`--size must be at least 4 for shapes (got ${size})`)
  if (kind === 'sprites' && (size % 32 !== 0 || size === 0)) {
    throw new UsageError(
      `--size must be a multiple of 32 for sprites, which are drawn on a grid of 32 x 32 (got ${size})`,
    )
  }
  const open = kind === 'shapes' ? shapesDataset : spritesDataset
  const config = { kind, size, length: GENERATED_LENGTH, seed: 0 }
  return { dataset: open({ size, length: config.length, seed: config.seed }), config, close: async () => {} }
}
