import type { Backend, Params } from '@dit/tensor'
import { comfortableScale, gridPng } from '../images/grid.js'
import { toPictures } from '../images/pixels.js'
import { denoisingOf, mostSteps } from './objective-config.js'
import type { RunConfig } from './run-config.js'
import { imageShape, sampleClasses } from '../sampling/sample-classes.js'

/** Classes and pictures of each that a grid shows while training. */
const MAX_CLASSES = 10
const PER_CLASS = 6
const STEPS = 50

/**
 * A grid of samples, one row for each of the first classes; PNG. It has the same noise at every step of a run, so that
 * grids show what was learned in between.
 */
export async function trainingGrid(
  config: RunConfig,
  params: Params,
  backend: Backend,
  signal: AbortSignal,
): Promise<Buffer> {
  const { model, process } = denoisingOf(config, 'a grid of samples')
  const rowLabels = config.classes.slice(0, MAX_CLASSES)
  const images = await sampleClasses({
    model,
    process,
    params,
    backend,
    labels: Array.from({ length: rowLabels.length * PER_CLASS }, (_, i) => Math.floor(i / PER_CLASS)),
    steps: Math.min(STEPS, mostSteps(process)),
    seed: config.seed,
    signal,
  })
  const pictures = toPictures(images, imageShape(model))
  return gridPng(pictures, { columns: PER_CLASS, rowLabels, scale: comfortableScale(pictures) })
}
