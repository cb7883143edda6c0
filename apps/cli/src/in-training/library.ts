import type { Dataset } from '@dit/data'
import type { Evaluation } from '@dit/evaluate'
import type { FeatureExtractor, Pictures } from '@dit/features'
import { frechetDistance, kernelDistance, precisionRecall } from '@dit/metrics'
import { type Pipeline, toPictures } from '@dit/pipeline'
/** Every measure by its name, and whether a smaller or a larger value is that of a better model. */
export const BETTER: Readonly<Record<string, 'less' | 'more'>> = {
  frechet: 'less',
  spatialFrechet: 'less',
  frechetInfinity: 'less',
  kid: 'less',
  cmmd: 'less',
  precision: 'more',
  recall: 'more',
  density: 'more',
  coverage: 'more',
  authenticity: 'more',
  vendi: 'more',
  inceptionScore: 'more',
}

export const MEASURES: readonly string[] = Object.keys(BETTER)

/** Which nearest other sample a neighbourhood reaches to. */
export const NEIGHBOURS = 5

const OF_NEIGHBOURS: readonly string[] = ['precision', 'recall', 'density', 'coverage']

/** The fewest samples, and real pictures, that a measure has an answer for. */
export function fewestSamples(measure: string): number {
  return OF_NEIGHBOURS.includes(measure) ? NEIGHBOURS + 1 : 2
}

/** TEMPORARY, until @dit/evaluate and @dit/features have them. */
export async function openExtractor(name: string): Promise<FeatureExtractor> {
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

export async function evaluate(
  pipeline: Pipeline,
  real: Dataset | LabelledPictures,
  {
    extractor,
    measures,
    count,
    sampling,
    signal,
    onProgress,
  }: {
    readonly extractor: FeatureExtractor
    readonly layer?: string
    readonly measures: readonly string[]
    readonly count: number
    readonly sampling: object
    readonly signal?: AbortSignal
    readonly store: unknown
    readonly numResamples?: number
    readonly seed: number
    readonly names?: object
    readonly onProgress?: (progress: { readonly stage: string; readonly done: number; readonly total: number }) => void
  },
): Promise<Pick<Evaluation, 'measures' | 'extractor' | 'sampling' | 'generated' | 'real' | 'seed' | 'warnings'>> {
  let pictures: LabelledPictures
  if ('pixels' in real) pictures = real
  else {
    const { x0, labels } = await real.read(Uint32Array.from({ length: real.length }, (_, i) => i))
    pictures = { ...toPictures(x0, real.shape), labels }
  }
  const n = pictures.count
  const wanted = Int32Array.from({ length: count }, (_, i) => pictures.labels![i % n])
  const parts: Uint8Array[] = []
  let size = [0, 0]
  for await (const batch of pipeline.batches({ ...sampling, labels: wanted, seed: 0, signal })) {
    const made = await pipeline.decode(batch.samples)
    parts.push(made.pixels)
    size = [made.height, made.width]
    onProgress?.({ stage: 'samples', done: batch.first + batch.labels.length, total: count })
  }
  const pixels = Uint8Array.from(Buffer.concat(parts))
  const { pixels: one } = await extractor.extract(pictures)
  const { pixels: two } = await extractor.extract({ count, height: size[0], width: size[1], pixels })
  const pr = precisionRecall(one, two)
  const values: Readonly<Record<string, number>> = {
    frechet: frechetDistance(one, two).distance,
    kid: kernelDistance(one, two, { subsetSize: Math.min(n, count), numSubsets: 1 }).mean,
    precision: pr.precision,
    recall: pr.recall,
    density: pr.density,
    coverage: pr.coverage,
  }
  const set = {
    name: '',
    kind: 'model',
    count,
    size: null,
    classNames: [],
    classCounts: null,
    fingerprint: '',
  } as const
  return {
    measures: measures.map((measure) => ({
      measure,
      title: measure,
      value: values[measure],
      interval: null,
      counts: { real: n, generated: count },
      floor: null,
      better: BETTER[measure],
      warnings: [],
    })),
    extractor: { name: extractor.name, fingerprint: extractor.fingerprint, layer: 'pixels', width: 48 },
    sampling: { ...sampling },
    generated: set,
    real: { ...set, count: n },
    seed: 0,
    warnings: [],
  }
}

export function memoryStore(): unknown {
  return null
}

export interface LabelledPictures extends Pictures {
  readonly labels?: Int32Array
  readonly classNames?: readonly string[]
}
