import { pictureGrid } from './copies/picture-grid.js'
import { memorisation } from './copies/memorisation.js'
import { nearHeldOut } from './copies/near-held-out.js'
import { nearestPictures } from './copies/nearest-pictures.js'
import type { ClassResult, Evaluation, MeasureResult, Memorisation, NearestPictures } from './evaluation.js'
import { measureAuthenticity } from './measures/authenticity.js'
import { measureClasses } from './measures/by-class.js'
import { titleContext } from './measures/extractor-facts.js'
import type { MeasureOptions } from './measures/measured.js'
import type { TitleContext } from './measures/names.js'
import { measureWithFloors, resultOf } from './measures/with-floors.js'
import type { EvaluateOptions, Generated, RealData } from './options.js'
import { type Plan, planEvaluation } from './plan.js'
import { extractShare, nearestOf, type ReadSets, readSets } from './read-sets.js'
import type { EvaluationWithRows } from './rows.js'
import { describeReference, describeSet } from './sets/describe-set.js'
import { widthOf, type Share } from './sets/extract-set.js'
import type { PictureSet } from './sets/picture-set.js'

/** Nearest training pictures beside a sample. */
const NEIGHBOURS = 3

/**
 * How good pictures are: measures of samples against real pictures, with intervals and floors, of all and of each class, and whether they are
 * copies of training pictures.
 *
 *     const evaluation = await evaluate(pipeline, heldOut, { extractor, training, sampling: { steps: 50 } })
 *
 * The numbers depend on the pictures, the features and the seed only: not on workers, and not on what the store already holds.
 *
 * @param generated  a pipeline, which draws samples of the classes of the real pictures, or pictures
 * @param data  real pictures, or statistics of them, by which only some measures can be had
 * @throws RangeError for sets of two sizes, statistics of other features, too few pictures, a class without real pictures, duplicates
 *   across training and other real pictures, features that are not finite; the signal's reason when stopped
 */
export async function evaluate(generated: Generated, data: RealData, options: EvaluateOptions): Promise<Evaluation> {
  return (await evaluateWithRows(generated, data, options)).evaluation
}

/** The same with the features that were measured, which `compareEvaluations` needs. */
export async function evaluateWithRows(
  generated: Generated,
  data: RealData,
  options: EvaluateOptions,
): Promise<EvaluationWithRows> {
  const plan = await planEvaluation(generated, data, options)
  const sets = await readSets(plan)
  return measure(plan, sets)
}

/**
 * Computes one worker's share of the samples and features of an evaluation into its store. After all workers have, `evaluate` with the
 * same arguments finds everything there.
 *
 * @param share  `options.store` must be one that all workers share
 */
export async function computeShare(
  generated: Generated,
  data: RealData,
  options: EvaluateOptions,
  share: Share,
): Promise<void> {
  await extractShare(await planEvaluation(generated, data, options), share)
}

async function measure(plan: Plan, sets: ReadSets): Promise<EvaluationWithRows> {
  const { products, seed, k, resampling, measures, layer, options } = plan
  const { extractor, onProgress } = options
  const { generated, real, training, heldOut, others } = sets
  const title = titleContext(extractor, layer)
  const how: MeasureOptions & { readonly title: TitleContext } = {
    products,
    seed,
    k,
    resampling: resampling.numResamples === 0 ? null : resampling,
    title,
  }
  const realSide = isReadSet(real) ? real.side : real
  const stages = 4
  const tell = async (done: number) => {
    onProgress?.({ stage: 'measures', done, total: stages })
    // Measures hold the thread: others get a turn between them.
    await new Promise((resolve) => setTimeout(resolve))
    options.signal?.throwIfAborted()
  }
  await tell(0)
  const own = measures.filter((name) => name !== 'authenticity')
  const results: MeasureResult[] = measureWithFloors({ real: realSide, generated: generated.side }, others, own, how)
  await tell(1)
  const authentic = authenticityOf(plan, sets, how)
  await tell(2)
  const copies = await copiesOf(plan, sets)
  await tell(3)
  const classes = classesOf(sets, how)
  await tell(4)
  const evaluation: Evaluation = {
    format: 'dit-evaluation',
    version: 1,
    generated: await describeSet(generated.set, generated.digests),
    real: isReadSet(real) ? await describeSet(real.set, real.digests) : await describeReference(real, plan),
    training: training === null ? null : await describeSet(training.set, training.digests),
    heldOut: heldOut === null ? null : await describeSet(heldOut.set, heldOut.digests),
    extractor: { name: extractor.name, fingerprint: extractor.fingerprint, layer, width: widthOf(extractor, layer) },
    sampling: plan.sampling,
    seed,
    intervals: { level: resampling.level, numResamples: resampling.numResamples },
    measures: measures.flatMap((name) =>
      name === 'authenticity' ? [authentic!.result] : results.filter((result) => result.measure === name),
    ),
    classes,
    memorisation: copies.memorisation,
    nearest: copies.nearest,
    grids: await gridsOf(plan, sets),
    warnings: [...plan.warnings, ...sets.warnings, ...copies.warnings],
  }
  const { labels, classNames } = generated.set
  const rows = {
    generated: generated.side,
    real: realSide,
    classes: labels === null ? null : Array.from(labels, (label) => classNames[label]),
    authentic: authentic?.authentic ?? null,
  }
  return { evaluation, rows }
}

function isReadSet(real: ReadSets['real']): real is Extract<ReadSets['real'], { set: PictureSet }> {
  return 'set' in real
}

/** Authenticity in the space where copies are looked for; its floor is that of held-out pictures. */
function authenticityOf(
  { measures }: Plan,
  { generated, training, heldOut }: ReadSets,
  how: MeasureOptions & { readonly title: TitleContext },
): { result: MeasureResult; authentic: Uint8Array } | null {
  if (!measures.includes('authenticity') || training === null) return null
  const set = training.copies.rows
  const measured = measureAuthenticity(set, generated.copies.rows, how)
  const floor = heldOut === null ? null : measureAuthenticity(set, heldOut.copies.rows, how)
  const { authentic, ...own } = measured
  // As a share of single pictures it does not depend on how many there are.
  const result = resultOf('authenticity', own, floor, own, how.title)
  return { result, authentic }
}

interface Copies {
  readonly memorisation: Memorisation | null
  readonly nearest: readonly NearestPictures[]
  readonly warnings: readonly string[]
}

async function copiesOf(plan: Plan, sets: ReadSets): Promise<Copies> {
  const { generated, training, heldOut } = sets
  const { resampling, seed, space, options } = plan
  if (training === null) return { memorisation: null, nearest: [], warnings: [] }
  const k = Math.min(NEIGHBOURS, training.set.count)
  const nearest = nearestOf(plan, generated, training, k)
  const first = (distances: Float64Array, count: number) =>
    Float64Array.from({ length: count }, (_, i) => distances[i * k])
  const held = heldOut === null ? null : nearestOf(plan, heldOut, training, 1).distances
  const found =
    held === null
      ? null
      : memorisation({
          samples: first(nearest.distances, generated.set.count),
          heldOut: held,
          numTraining: training.set.count,
          space,
          isMirrored: options.isMirrored === true && space === 'pixels',
          resampling: { ...resampling, numResamples: Math.max(2, resampling.numResamples) },
          seed,
        })
  const warnings: string[] = []
  const near =
    held === null
      ? null
      : nearHeldOut({ distances: held, width: training.copies.rows.shape[1], space, files: heldOut!.files })
  if (near !== null) warnings.push(near)
  if (found === null)
    warnings.push('copies were not counted: no real pictures were held out, which would say how near is too near')
  if (found !== null && found.numHeldOut < 100)
    warnings.push(
      `only ${found.numHeldOut} held-out pictures say how near to a training picture is too near: the 1 % of them is less than one picture`,
    )
  if (options.isMirrored === true && space === 'features')
    warnings.push(
      'mirror images of training pictures were not looked for: features of large pictures are compared, not pixels',
    )
  const shown =
    options.toPng === undefined
      ? []
      : await nearestPictures({
          generated: generated.set,
          training: training.set,
          nearest,
          threshold: found?.threshold ?? null,
          toPng: options.toPng,
        })
  return { memorisation: found, nearest: shown, warnings }
}

function classesOf(
  { generated, real }: ReadSets,
  how: MeasureOptions & { readonly title: TitleContext },
): ClassResult[] {
  if (!isReadSet(real) || real.set.labels === null || generated.set.labels === null) return []
  const theirs = generated.set
  if (!theirs.classNames.some((name) => real.set.classNames.includes(name))) return []
  return measureClasses(
    { side: real.side, labels: real.set.labels, classNames: real.set.classNames },
    { side: generated.side, labels: generated.set.labels, classNames: theirs.classNames },
    how,
  )
}

async function gridsOf({ options: { toPng } }: Plan, { generated, real }: ReadSets): Promise<Evaluation['grids']> {
  if (toPng === undefined) return []
  const grids = [
    await pictureGrid(generated.set, generated.set.kind === 'model' ? 'Samples' : 'Judged pictures', toPng),
  ]
  return isReadSet(real) ? [...grids, await pictureGrid(real.set, 'Real pictures', toPng)] : grids
}
