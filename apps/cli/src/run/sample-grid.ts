import { lastSamples, type ModelInMemory, openPipeline } from '@dit/pipeline'
import type { Backend } from '@dit/tensor'
import { comfortableScale, gridPng } from '../plot/grid.js'
import { GRID_ROWS } from './grid-prompts.js'
import type { RunConfig } from './run-config.js'

/** Pictures in a row of a grid while training. */
const PER_CLASS = 6

/** Pictures in a grid of samples of so many classes. */
export function gridPictures(numClasses: number): number {
  return Math.min(numClasses, GRID_ROWS) * PER_CLASS
}

/**
 * A grid of samples, one row for each of the first classes; PNG. It has the same noise at every step of a run, so that
 * grids show what was learned in between.
 */
export async function trainingGrid(
  config: RunConfig,
  model: ModelInMemory,
  backend: Backend,
  signal: AbortSignal,
): Promise<Buffer> {
  const rowLabels = (model.classNames ?? config.classes).slice(0, GRID_ROWS)
  const pipeline = await openPipeline(model, { backend })
  const labels = Array.from({ length: rowLabels.length * PER_CLASS }, (_, i) => Math.floor(i / PER_CLASS))
  const samples = await lastSamples(pipeline.sample({ labels, seed: config.seed, clip: true, signal }))
  const pictures = await pipeline.decode(samples)
  return gridPng(pictures, { columns: PER_CLASS, rowLabels, scale: comfortableScale(pictures) })
}
