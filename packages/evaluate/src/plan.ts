import type { FeatureExtractor } from '@dit/features'
import { plainProducts, type Products } from '@dit/metrics'
import { checkClassesFilled, checkNumbers, checkReference } from './check-options.js'
import { chooseMeasures } from './choose-measures.js'
import { MOST_PIXELS } from './copies/pixel-rows.js'
import type { Evaluation } from './evaluation.js'
import { spatialLayer } from './measures/extractor-facts.js'
import type { MeasureName } from './measures/names.js'
import {
  DEFAULTS,
  type EvaluateOptions,
  type Generated,
  isReference,
  MOST_SAMPLES,
  type RealData,
  type ReferenceStatistics,
} from './options.js'
import { drawnSet, type EvaluatedPipeline, requireSameSize } from './sets/drawn-set.js'
import { widthOf } from './sets/extract-set.js'
import { type FeatureStore, memoryStore } from './sets/feature-store.js'
import { type PictureSet, pictureSet, type PictureSource, type SetName } from './sets/picture-set.js'
import { otherReal } from './sets/other-real.js'
import { restrictClasses } from './sets/restrict.js'
import { sampleLabels } from './sets/sample-labels.js'

/** An evaluation checked, before any picture is drawn. */
export interface Plan {
  readonly options: EvaluateOptions
  readonly store: FeatureStore
  readonly products: Products
  readonly seed: number
  readonly k: number
  readonly resampling: { readonly numResamples: number; readonly level: number }
  readonly layer: string
  /** Layers that are taken of samples and real pictures. */
  readonly layers: readonly string[]
  readonly measures: readonly MeasureName[]
  readonly generated: PictureSet
  readonly real: PictureSet | ReferenceStatistics
  readonly training: PictureSet | null
  readonly heldOut: PictureSet | null
  /** Whether held-out pictures are the real ones. */
  readonly isHeldOutReal: boolean
  /** Training pictures that stand for samples in floors; null where floors are taken of halves of the real pictures, or not at all. */
  readonly others: PictureSet | null
  readonly space: 'pixels' | 'features'
  readonly sampling: Evaluation['sampling']
  readonly warnings: readonly string[]
}

/**
 * Checks an evaluation and opens its sets; no picture is drawn yet, unless nothing else tells the size of samples.
 *
 * @throws RangeError and TypeError for whatever cannot be
 */
export async function planEvaluation(generated: Generated, data: RealData, options: EvaluateOptions): Promise<Plan> {
  const { extractor, layer = extractor.defaultLayer, signal, names = {}, classes } = options
  const { seed = DEFAULTS.seed, k = DEFAULTS.k, store = memoryStore(), products = plainProducts } = options
  const resampling = {
    numResamples: options.numResamples ?? DEFAULTS.numResamples,
    level: options.level ?? DEFAULTS.level,
  }
  checkNumbers(options, resampling)
  const width = widthOf(extractor, layer)
  const chosen = (set: PictureSet) => (classes === undefined ? set : restrictClasses(set, classes))
  const open = async (source: PictureSource | undefined, fallback: string, name?: SetName) =>
    source === undefined ? null : chosen(await pictureSet(source, fallback, name, signal))

  const real = isReference(data) ? data : (await open(data, 'the real pictures', names.real))!
  if (isReference(data)) checkReference(data, { extractor, layer, width, name: names.real?.name })
  const training = await open(options.training, 'the training pictures', names.training)
  const ownHeldOut = await open(options.heldOut, 'the held-out pictures', names.heldOut)
  const realSet = isReference(real) ? null : real
  const heldOut = ownHeldOut ?? (training === null ? null : realSet)

  const { measures, missing } = chooseMeasures(options, { real, training: training !== null })
  if (realSet !== null && realSet.labels !== null) checkClassesFilled(realSet)
  const samples = isPipeline(generated)
    ? await samplesOf(generated, realSet, options, { store, seed })
    : chosen(await pictureSet(generated, 'the pictures', names.generated, signal))
  const wanted = realSet?.size ?? (isReference(real) ? real.madeWith?.size : undefined) ?? samples.size
  for (const set of [samples, training, ownHeldOut]) if (set !== null) requireSameSize(set.name, set.size, wanted)
  const [height, side] = samples.size
  const space = Math.max(height, side) <= MOST_PIXELS ? 'pixels' : 'features'
  return {
    options,
    store,
    products,
    seed,
    k,
    resampling,
    layer,
    layers: layersOf(extractor, layer, measures),
    measures,
    generated: samples,
    real,
    training,
    heldOut,
    isHeldOutReal: heldOut === realSet,
    others: otherReal(realSet, training, samples.count, seed),
    space,
    sampling: isPipeline(generated)
      ? { ...options.sampling, seed, batchSize: options.batchSize ?? DEFAULTS.batchSize }
      : null,
    warnings: [
      ...missing,
      ...unknownStatistics(real, names.real?.name),
      ...unsampledClasses(generated, realSet, names.generated?.name ?? 'the model'),
      ...unknownClasses(generated, realSet, options),
    ],
  }
}

/** A sentence where statistics do not say what they were made with. */
function unknownStatistics(real: PictureSet | ReferenceStatistics, name = 'the statistics'): string[] {
  if (!isReference(real) || real.madeWith?.size !== undefined) return []
  const what = real.madeWith === undefined ? 'which extractor, layer and size of pictures' : 'which size of pictures'
  return [`${name} does not say with ${what} it was made; values mean something only if these are the same`]
}

/** Classes that the model has and the real pictures lack, in a sentence. */
function unsampledClasses(generated: Generated, real: PictureSet | null, name: string): string[] {
  if (!isPipeline(generated) || real === null || real.labels === null || generated.classNames.length <= 1) return []
  const missing = generated.classNames.filter((one) => !real.classNames.includes(one))
  if (missing.length === 0) return []
  return [`classes of ${name} without real pictures are not sampled: ${missing.join(', ')}`]
}

/** A sentence where classes are sampled alike, since nothing says how frequent they are, or where statistics are not of the classes chosen. */
function unknownClasses(generated: Generated, real: PictureSet | null, { names, classes }: EvaluateOptions): string[] {
  const name = names?.real?.name ?? (real === null ? 'the statistics' : 'the real pictures')
  if (isPipeline(generated) && generated.classNames.length > 1 && (real === null || real.labels === null)) {
    const which = classes === undefined ? 'all classes' : `the classes ${classes.join(', ')}`
    return [
      `${name} does not say the classes of its pictures, so ${which} were sampled alike; differences in their shares count as errors`,
    ]
  }
  if (classes === undefined || real !== null) return []
  return [`${name} holds statistics of all its pictures, whatever classes are judged`]
}

function isPipeline(generated: object): generated is EvaluatedPipeline {
  return 'batches' in generated
}

async function samplesOf(
  pipeline: EvaluatedPipeline,
  real: PictureSet | null,
  options: EvaluateOptions,
  { store, seed }: { readonly store: FeatureStore; readonly seed: number },
): Promise<PictureSet> {
  const { names, samplingFingerprint, sampling = {}, signal, batchSize = DEFAULTS.batchSize, classes } = options
  const name = names?.generated?.name ?? 'the model'
  const count = options.count ?? Math.min(real?.count ?? MOST_SAMPLES, MOST_SAMPLES)
  const known = classes ?? real?.classNames ?? pipeline.classNames
  const labels = sampleLabels(pipeline.classNames, real, { count, seed, modelName: name, classes })
  const set = await drawnSet(pipeline, {
    name,
    request: { labels, seed, batchSize, signal },
    options: sampling,
    // Samples of a model that nothing names must not be taken for those of another.
    store: samplingFingerprint === undefined ? memoryStore() : store,
    fingerprint: JSON.stringify([samplingFingerprint, Array.from(labels), seed, batchSize, sampling]),
    size: real?.size ?? null,
  })
  const isClassed = pipeline.classNames.length > 1 && known.every((one) => pipeline.classNames.includes(one))
  if (!isClassed) return { ...set, labels: null, classNames: [] }
  return {
    ...set,
    classNames: known,
    labels: labels.map((label) => known.indexOf(pipeline.classNames[label])),
  }
}

function layersOf(extractor: FeatureExtractor, layer: string, measures: readonly MeasureName[]): string[] {
  const spatial = measures.includes('spatialFrechet') ? [spatialLayer(extractor)!] : []
  const logits = measures.includes('inceptionScore') ? [extractor.logits!] : []
  return [...new Set([layer, ...spatial, ...logits])]
}
