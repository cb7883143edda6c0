import { normals, randomStream } from '@dit/random'
import type { BatchSource, TrainBatch } from '@dit/train-ddp'

/**
 * Batches of latents drawn from batches of their posteriors, mean and deviation: latents = mean + deviation noise. The noise
 * of a step and a row of its batch is a function of the seed and these two alone, so that a resumed run, or one on other
 * workers, draws the same latents.
 */
export function drawnBatches(posteriors: BatchSource, seed: number): BatchSource {
  return { rows: async (step, start, end) => drawn(await posteriors.rows(step, start, end), seed, step, start) }
}

function drawn({ count, arrays }: TrainBatch, seed: number, step: number, firstRow: number): TrainBatch {
  const { data: x0, shape } = arrays.x0
  const [channels, height, width] = shape
  const size = x0.length / count / 2
  const noise = normals(randomStream(seed, 'latents', step), count * size, firstRow * size)
  const latents = new Float32Array(count * size)
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < size; k++) {
      const at = 2 * i * size + k
      latents[i * size + k] = x0[at] + x0[at + size] * noise[i * size + k]
    }
  }
  return { count, arrays: { ...arrays, x0: { data: latents, shape: [channels / 2, height, width] } } }
}
