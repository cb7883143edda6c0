import { lastSamples, type ModelInMemory, openPipeline } from '@dit/pipeline'
import type { Backend } from '@dit/tensor'
import { comfortableScale, gridPng } from '../plot/grid.js'
import type { RunConfig } from './run-config.js'

/** Classes and pictures of each that a grid shows while training. */
const MAX_CLASSES = 10
const PER_CLASS = 6

/** Pictures in a grid of samples of so many classes. */
export function gridPictures(numClasses: number): number {
  return Math.min(numClasses, MAX_CLASSES) * PER_CLASS
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
  const rowLabels = config.classes.slice(0, MAX_CLASSES)
  const pipeline = await openPipeline(model, { backend })
  const labels = Array.from({ length: rowLabels.length * PER_CLASS }, (_, i) => Math.floor(i / PER_CLASS))
  const samples = await lastSamples(pipeline.sample({ labels, seed: config.seed, clip: true, signal }))
  const pictures = await pipeline.decode(samples)
  return gridPng(pictures, { columns: PER_CLASS, rowLabels, scale: comfortableScale(pictures) })
}
