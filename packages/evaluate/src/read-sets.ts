import type { Pictures } from '@dit/features'
import { nearestRows, type NearestRows } from '@dit/metrics'
import { duplicates, duplicatesText, type DigestedSet } from './copies/duplicates.js'
import { type CopyRows, nearestTraining } from './copies/nearest-training.js'
import { isGrey, pixelRows } from './copies/pixel-rows.js'
import { spatialLayer } from './measures/extractor-facts.js'
import type { SideFeatures, SideStatistics } from './measures/measured.js'
import { isReference, type Stage } from './options.js'
import type { Plan } from './plan.js'
import { type ExtractedSet, extractSet, type Share } from './sets/extract-set.js'
import type { PictureSet } from './sets/picture-set.js'

/** A set that was read, with the rows that copies are looked for in. */
export interface ReadSet {
  readonly set: PictureSet
  readonly digests: readonly string[]
  readonly side: SideFeatures
  readonly copies: CopyRows
  /** File of each row of `copies`; null where there are none. */
  readonly files: readonly string[] | null
}

/** All sets of an evaluation. */
export interface ReadSets {
  readonly generated: ReadSet
  readonly real: ReadSet | SideStatistics
  readonly training: ReadSet | null
  readonly heldOut: ReadSet | null
  readonly others: SideFeatures | null
  readonly warnings: readonly string[]
}

/** Computes a worker's share of whatever an evaluation needs and its store lacks. */
export async function extractShare(plan: Plan, share: Share): Promise<void> {
  const { generated, real, training, heldOut, others, layers } = plan
  const onlyCopies = plan.space === 'features' ? [plan.layer] : []
  await extract(plan, 'samples', generated, layers, share)
  if (!isReference(real)) await extract(plan, 'real pictures', real, layers, share)
  if (others !== null) await extract(plan, 'other real pictures', others, layers, share)
  if (training !== null && onlyCopies.length > 0) await extract(plan, 'training pictures', training, onlyCopies, share)
  if (heldOut !== null && !plan.isHeldOutReal && onlyCopies.length > 0)
    await extract(plan, 'held-out pictures', heldOut, onlyCopies, share)
}

/**
 * Reads all sets, from the store what is there.
 *
 * @throws RangeError where a picture is in the training set and in the other real ones, unless that is allowed
 */
export async function readSets(plan: Plan): Promise<ReadSets> {
  const { generated, real, training, heldOut, others, layers } = plan
  // Training pictures first: what is wrong with them need not wait for samples.
  const isGreyTraining = await greyness(plan)
  const read = (stage: Stage, set: PictureSet, own: readonly string[]) => readSet(plan, stage, set, own, isGreyTraining)
  const onlyCopies = plan.space === 'features' ? [plan.layer] : []
  const readTraining = training === null ? null : await read('training pictures', training, onlyCopies)
  const readReal = isReference(real) ? null : await read('real pictures', real, layers)
  const ownHeldOut =
    heldOut === null || plan.isHeldOutReal ? null : await read('held-out pictures', heldOut, onlyCopies)
  const heldOutRead = plan.isHeldOutReal ? readReal : ownHeldOut
  const warnings: string[] = []
  let cleanHeldOut = heldOutRead
  if (readTraining !== null) {
    for (const set of new Set([readReal, ownHeldOut])) {
      if (set === null) continue
      const shared = checkDuplicates(plan, readTraining, set, warnings)
      if (set === heldOutRead && shared.length > 0) cleanHeldOut = without(set, shared)
    }
  }
  const readGenerated = await read('samples', generated, layers)
  if (readReal !== null) warnings.push(...judgedReal(readGenerated, readReal))
  const otherSide = others === null ? null : await extract(plan, 'other real pictures', others, layers)
  return {
    generated: readGenerated,
    real: readReal ?? statisticsOf(plan),
    training: readTraining,
    heldOut: cleanHeldOut,
    others: otherSide === null ? null : sideOf(plan, otherSide),
    warnings,
  }
}

/** The nearest training pictures of a set's pictures. */
export function nearestOf(plan: Plan, set: ReadSet, training: ReadSet, k: number): NearestRows {
  const { products } = plan
  if (set.copies.rows === training.copies.rows)
    return nearestRows(set.copies.rows, training.copies.rows, { k, products })
  return nearestTraining(set.copies, training.copies.rows, k, products)
}

function checkDuplicates(plan: Plan, training: ReadSet, set: ReadSet, warnings: string[]): number[] {
  const asDigested = ({ set: { name, files }, digests }: ReadSet): DigestedSet => ({ set: { name, files }, digests })
  const places = duplicates(asDigested(training), asDigested(set))
  if (places.length === 0) return places
  const text = duplicatesText(asDigested(training), asDigested(set), places)
  if (plan.options.allowDuplicates !== true) {
    throw new RangeError(
      `evaluate: ${text}. A model that copies them would look good, so take them out of one of both, or allow duplicates`,
    )
  }
  warnings.push(text)
  return places
}

/** A sentence where pictures that are judged are real ones byte for byte: such a set is nearer to the real one than any model can be. */
function judgedReal(generated: ReadSet, real: ReadSet): string[] {
  const known = new Set(real.digests)
  const count = generated.digests.filter((digest) => known.has(digest)).length
  if (count === 0) return []
  const [are, pictures] = count === 1 ? ['is', 'a picture'] : ['are', 'pictures']
  return [
    `${count} of ${generated.digests.length} pictures of ${generated.set.name} ${are} ${pictures} of ${real.set.name}, byte for byte: ` +
      'distances come out too small, and the kernel distance below 0',
  ]
}

/** A held-out set without some of its pictures, for the rows of copies. */
function without(set: ReadSet, places: readonly number[]): ReadSet {
  const left = new Set(places)
  const kept = Array.from(set.digests.keys()).filter((place) => !left.has(place))
  if (kept.length === 0) {
    throw new RangeError(
      `evaluate: all pictures of ${set.set.name} are in the training set, so none is left that was held out`,
    )
  }
  const rowsOf = ({ shape, data }: CopyRows['rows']): CopyRows['rows'] => {
    const width = shape[1]
    const out = new Float32Array(kept.length * width)
    kept.forEach((place, i) => out.set(data.subarray(place * width, (place + 1) * width), i * width))
    return { shape: [kept.length, width], data: out }
  }
  const { rows, mirrored } = set.copies
  const files = set.files === null ? null : kept.map((place) => set.files![place])
  return { ...set, files, copies: { rows: rowsOf(rows), mirrored: mirrored === null ? null : rowsOf(mirrored) } }
}

/** Whether all training pictures are grey; false where copies are not looked for among pixels. */
async function greyness({ training, space }: Plan): Promise<boolean> {
  if (training === null || space === 'features') return false
  for (let number = 0; number * training.partSize < training.count; number++) {
    for await (const { pictures } of training.readParts([number])) if (!isGrey(pictures)) return false
  }
  return true
}

async function readSet(
  plan: Plan,
  stage: Stage,
  set: PictureSet,
  layers: readonly string[],
  isGreyTraining: boolean,
): Promise<ReadSet> {
  const isPixels = plan.training !== null && plan.space === 'pixels'
  const isMirrored = plan.options.isMirrored === true && stage !== 'training pictures'
  const pixels = isPixels ? pixelRows(set.count, { size: set.size, isGrey: isGreyTraining }, isMirrored) : null
  const extracted = await extract(plan, stage, set, layers, undefined, (first, pictures) =>
    pixels?.add(first, pictures),
  )
  const side = sideOf(plan, extracted)
  return {
    set,
    digests: extracted.digests,
    side,
    copies: pixels ?? { rows: side.features, mirrored: null },
    files: set.files,
  }
}

async function extract(
  { options: { extractor, signal, onProgress }, store }: Plan,
  stage: Stage,
  set: PictureSet,
  layers: readonly string[],
  share?: Share,
  onPictures?: (first: number, pictures: Pictures) => void,
): Promise<ExtractedSet> {
  return extractSet(set, {
    extractor,
    layers,
    store,
    share,
    signal,
    onPictures,
    onProgress: (done, total) => onProgress?.({ stage, done, total }),
  })
}

function sideOf({ options: { extractor }, layer, layers }: Plan, { features }: ExtractedSet): SideFeatures {
  const spatial = spatialLayer(extractor)
  const { logits } = extractor
  const of = (name: string | null) => (name !== null && layers.includes(name) ? (features[name] ?? null) : null)
  return { features: features[layer] ?? NOTHING, spatial: of(spatial), logits: of(logits) }
}

/** Features of a set whose pictures alone were asked for. */
const NOTHING = { shape: [0, 1], data: new Float32Array() }

function statisticsOf({ real }: Plan): SideStatistics {
  if (isReference(real)) return real.statistics
  throw new TypeError('evaluate: real pictures were expected')
}
