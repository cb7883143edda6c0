import type { FeatureExtractor } from '@dit/features'
import type { Backend } from '@dit/tensor'

/** Measures of neighbourhoods, which reach to the fifth nearest other picture. */
const OF_NEIGHBOURS: readonly string[] = ['precision', 'recall', 'density', 'coverage']
const NEIGHBOURS = 5

/** The fewest samples, and real pictures, that a measure has an answer for. */
export function fewestSamples(measure: string): number {
  return OF_NEIGHBOURS.includes(measure) ? NEIGHBOURS + 1 : 2
}

/** TEMPORARY, until @dit/features has it. */
export async function openExtractor(name: string, _backend: Backend): Promise<FeatureExtractor> {
  const side = 4
  const width = side * side * 3
  return {
    name,
    fingerprint: 'temporary',
    layers: [{ name: 'pixels', width }],
    defaultLayer: 'pixels',
    logits: null,
    async extract({ count, height, width: w, pixels }) {
      const data = new Float32Array(count * width)
      for (let n = 0; n < count; n++)
        for (let y = 0; y < height; y++)
          for (let x = 0; x < w; x++)
            for (let c = 0; c < 3; c++) {
              const at = n * width + (Math.floor((y * side) / height) * side + Math.floor((x * side) / w)) * 3 + c
              data[at] += pixels[((n * height + y) * w + x) * 3 + c] / 255
            }
      return { pixels: { shape: [count, width], data } }
    },
    dispose() {},
  }
}
