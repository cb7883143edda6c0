import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { chanceCopies, type Evaluation } from '@dit/evaluate'
import { smallExtractor } from '@dit/features'
import type { Card, CardMeasure } from './card.js'
import { type Examples, shareFound, trainClassifier } from './classifier.js'
import { type LabelledPictures, readPictures } from './pictures.js'
import { runDit } from './run-dit.js'

/** What one extractor found. */
export interface Evaluated {
  /** Of `evaluation.json`. */
  readonly path: string
  readonly measures: readonly CardMeasure[]
  /** Of `small` only. */
  readonly copies: Omit<Card['copies'], 'among'> | null
}

/** The folders that are compared. */
interface Sets {
  readonly samples: string
  readonly heldOut: string
  readonly training: string
  readonly size: number
}

/**
 * Judges samples by held-out pictures with `dit eval`, and with `small`, in pixels, looks for copies. Other extractors may be slow: they are
 * shown no training pictures.
 */
export async function evaluate({
  folder,
  samples,
  heldOut,
  training,
  size,
  extractor,
}: Sets & { readonly folder: string; readonly extractor: string }): Promise<Evaluated> {
  const isSmall = extractor === 'small'
  const out = join(folder, `evaluation-${basename(extractor).replaceAll(/[^\w.]+/g, '-')}`)
  const sets = ['--data', heldOut, ...(isSmall ? ['--train', training] : []), '--size', String(size)]
  const place = ['--out', out, '--force', '--cache', join(folder, 'evaluation-cache')]
  if (!(await runDit(['eval', samples, ...sets, '--extractor', extractor, ...place])))
    throw new Error('the evaluation was stopped; the same command goes on')
  const path = join(out, 'evaluation.json')
  const found = JSON.parse(await readFile(path, 'utf8')) as Evaluation
  const measures = found.measures.map(({ measure, title, value, interval, floor }) => ({
    measure,
    title,
    extractor: found.extractor.name,
    value,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    floor: floor === null ? null : { value: floor.value, matched: floor.matched },
  }))
  if (found.memorisation === null) return { path, measures, copies: null }
  const { share, interval, numTraining } = found.memorisation
  const { expected, most } = chanceCopies(found.memorisation)
  const copies = { share, low: interval.low, high: interval.high, expected, mostByChance: most, numTraining }
  return { path, measures, copies }
}

/** Trains a classifier on training pictures, and lets it name the classes of held-out pictures and of samples. */
export async function classify({
  samples,
  heldOut,
  training,
  size,
  perClass,
}: Sets & { readonly perClass: number }): Promise<Card['classifier']> {
  const known = await readPictures(training, size, perClass)
  const find = trainClassifier(await examplesOf(known, size), { numClasses: known.classes.length })
  const judge = async (folder: string) => {
    const pictures = await readPictures(folder, size)
    if (pictures.classes.join() !== known.classes.join())
      throw new Error(`${folder} must have the classes of ${training} (it has ${pictures.classes.join(', ')})`)
    return shareFound(find((await examplesOf(pictures, size)).features), pictures.labels)
  }
  return { heldOut: await judge(heldOut), samples: await judge(samples), numTraining: known.count }
}

/** Pixels, and the features of `small`. */
export async function examplesOf({ pixels, labels, count }: LabelledPictures, size: number): Promise<Examples> {
  const extractor = smallExtractor()
  const { all } = await extractor.extract({ count, height: size, width: size, pixels })
  extractor.dispose()
  const [area, more] = [3 * size * size, all.shape[1]]
  const width = area + more
  const features = new Float32Array(count * width)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < area; j++) features[i * width + j] = pixels[i * area + j] / 255
    features.set(all.data.subarray(i * more, (i + 1) * more), i * width + area)
  }
  return { features, labels, width }
}
