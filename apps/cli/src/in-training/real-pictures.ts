import { type Dataset, subset } from '@dit/data'
import type { LabelledPictures } from '@dit/evaluate'
import { checkAutoencoder, decodePictures, loadAutoencoder } from '@dit/pipeline'
import { autoencoderOf } from '@dit/pipeline/node'
import { permutation, randomStream } from '@dit/random'
import { type Backend, dispose } from '@dit/tensor'
import { UsageError } from '../terminal/errors.js'
import { formatCount } from '../terminal/format.js'

/** Latents that are decoded at a time. */
const AT_ONCE = 32

/**
 * Real pictures to measure against, at most so many: the same for every run on the same pictures.
 *
 * @param fewest that the measures need
 * @throws UsageError where there are fewer
 */
export function chooseReal(dataset: Dataset, count: number, fewest: number, against: 'held-out' | 'all'): Dataset {
  const { length } = dataset
  if (length < fewest) {
    const which = against === 'held-out' ? 'held-out ' : ''
    const advice = against === 'held-out' ? 'raise --val-share, or give --eval-against all' : 'add pictures'
    throw new UsageError(
      `--eval-every: there are only ${formatCount(length)} ${which}pictures, but the measures need ${fewest}; ${advice}`,
    )
  }
  if (length <= count) return dataset
  return subset(dataset, permutation(randomStream(0, 'evaluation'), length).subarray(0, count).toSorted())
}

/**
 * Checks that every class that is trained on has held-out pictures: without them samples of it would count as wrong.
 *
 * @throws UsageError that names those that have none
 */
export function checkHeldOutClasses(train: Dataset, heldOut: Dataset, share: number): void {
  const [trained, held] = [train, heldOut].map((dataset) => new Set(dataset.labels?.()))
  const empty = train.classes.filter((_, label) => trained.has(label) && !held.has(label))
  if (empty.length === 0 || held.size === 0) return
  const has = empty.length === 1 ? 'class has' : 'classes have'
  throw new UsageError(
    `--val-share ${share} holds out no picture of ${listed(empty)}: a class of one picture is only trained on, and ${formatCount(empty.length)} ${has} no more; add pictures, or give --eval-against all`,
  )
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ')
  return names.length > 5 ? `${shown} and ${formatCount(names.length - 5)} more` : shown
}

/** Latents as the pictures that an autoencoder makes of their means. */
export async function decodedLatents(
  dataset: Dataset,
  autoencoder: string,
  backend: Backend,
): Promise<LabelledPictures> {
  const { length, classes, shape } = dataset
  const [channels, height, width] = [shape[0] / 2, shape[1], shape[2]]
  const size = channels * height * width
  const found = await autoencoderOf(autoencoder)
  checkAutoencoder(found, channels, 'the run')
  const opened = await loadAutoencoder(found, null, backend)
  try {
    const parts: Uint8Array[] = []
    const labels = new Int32Array(length)
    let side: [number, number] = [0, 0]
    for (let start = 0; start < length; start += AT_ONCE) {
      const count = Math.min(AT_ONCE, length - start)
      const batch = await dataset.read(Uint32Array.from({ length: count }, (_, i) => start + i))
      const means = new Float32Array(count * size)
      for (let i = 0; i < count; i++) means.set(batch.x0.subarray(2 * i * size, (2 * i + 1) * size), i * size)
      const made = await decodePictures(opened, backend, means, [channels, height, width], {})
      side = [made.height, made.width]
      parts.push(made.pixels)
      labels.set(batch.labels, start)
    }
    const pixels = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
    parts.reduce((at, part) => (pixels.set(part, at), at + part.length), 0)
    return { count: length, height: side[0], width: side[1], pixels, labels, classNames: classes }
  } finally {
    dispose(opened.params)
  }
}
