import type { FeatureExtractor, Pictures } from '@dit/features'
import type { Features } from '@dit/metrics'
import { integers, normals, randomStream } from '@dit/random'

/** An extractor for tests: mean colours of a 3 by 3 grid, and sums of them as logits. Counts the pictures that it was given. */
export function standIn(options: { readonly fingerprint?: string; readonly name?: string } = {}) {
  let extracted = 0
  const widths: Record<string, number> = { colours: 27, spatial: 12, logits: 4 }
  const extractor: FeatureExtractor = {
    name: options.name ?? 'stand-in',
    fingerprint: options.fingerprint ?? 'stand-in-1',
    layers: Object.entries(widths).map(([name, width]) => ({ name, width })),
    defaultLayer: 'colours',
    logits: 'logits',
    async extract(pictures, layers = ['colours']) {
      extracted += pictures.count
      return Object.fromEntries(layers.map((layer) => [layer, cells(pictures, widths[layer])]))
    },
    dispose() {},
  }
  return {
    extractor,
    get extracted() {
      return extracted
    },
  }
}

function cells({ count, height, width, pixels }: Pictures, size: number): Features {
  const data = new Float32Array(count * size)
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < height * width * 3; i++) {
      const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width]
      const cell = (Math.floor((3 * y) / height) * 3 + Math.floor((3 * x) / width)) * 3 + (i % 3)
      data[n * size + (cell % size)] += pixels[n * height * width * 3 + i] / 255 / height
    }
  }
  return { shape: [count, size], data }
}

/** Pictures of 6 by 6: each of a colour of its class, with noise. */
export function madePictures(count: number, seed: number, { shift = 0, classes = 2, side = 6 } = {}) {
  const bytes = side * side * 3
  const noise = normals(randomStream(seed, 'noise'), count * bytes)
  const colours = normals(randomStream(seed, 'colours'), count * 3)
  const labels = Int32Array.from(integers(randomStream(seed, 'classes'), classes, count))
  const pixels = Uint8Array.from({ length: count * bytes }, (_, i) => {
    const n = Math.floor(i / bytes)
    const base = 90 + 60 * labels[n] + 15 * colours[3 * n + (i % 3)]
    return Math.max(0, Math.min(255, base + 20 * noise[i] + shift))
  })
  const classNames = ['dark', 'light', 'third'].slice(0, classes)
  return { count, height: side, width: side, pixels, labels, classNames }
}
