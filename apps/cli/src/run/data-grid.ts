import type { Dataset } from '@dit/data'
import { toPictures } from '@dit/pipeline'
import { comfortableScale, gridPng } from '../plot/grid.js'
import { isGenerated } from './generated-data.js'
import { isPictureData, type RunConfig } from './run-config.js'

/** Where a run keeps it, in its folder. */
export const DATA_GRID = 'samples/data.png'

/** Classes and pictures of each that a grid shows. */
const MAX_CLASSES = 10
const PER_CLASS = 6

/**
 * Whether a run shows what it learns from: latents are no pictures, and a module's batches are its own. Generated pictures are shown
 * with samples only, so that runs without them need no encoder of pictures.
 */
export function hasDataGrid({ data, objective, sampleEvery }: RunConfig): boolean {
  if (objective.kind === 'module') return false
  return isPictureData(data) || ((isGenerated(data) || data.kind === 'dataset') && sampleEvery !== null)
}

/** A grid of training pictures as the network sees them, a row for each of the first classes; PNG. */
export async function dataGrid(dataset: Dataset): Promise<Buffer> {
  const rowLabels = dataset.classes.slice(0, MAX_CLASSES)
  const ofClass: number[][] = rowLabels.map(() => [])
  const labels = dataset.labels?.() ?? []
  for (const [index, label] of labels.entries()) ofClass[label]?.push(index)
  const tile = dataset.shape.reduce((product, extent) => product * extent, 1)
  // White where a class has fewer pictures than a row.
  const images = new Float32Array(rowLabels.length * PER_CLASS * tile).fill(1)
  for (const [row, indices] of ofClass.entries()) {
    // From all of the class: neighbours in a folder are often alike.
    const count = Math.min(PER_CLASS, indices.length)
    const chosen = Array.from({ length: count }, (_, i) => indices[Math.floor((i * indices.length) / count)])
    images.set((await dataset.read(chosen)).x0, row * PER_CLASS * tile)
  }
  const pictures = toPictures(images, dataset.shape)
  return gridPng(pictures, { columns: PER_CLASS, rowLabels, scale: comfortableScale(pictures) })
}
