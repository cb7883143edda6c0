import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Evaluation } from '@dit/evaluate'
import { type ShareFound, type Classifier, shareFound, trainClassifier } from '../pretrained/classifier.js'
import { drawSamples } from '../pretrained/draw-samples.js'
import { examplesOf } from '../pretrained/measure.js'
import { readPictures } from '../pretrained/pictures.js'
import { runDit } from '../pretrained/run-dit.js'
import type { SpeedrunSet } from './sets.js'

/**
 * What judges, the same for every row and frozen: changing it makes all results worthless. Kernel distance (KID) of samples
 * to held-out pictures on the features of `small`, and the share of samples whose class a classifier finds that learned from
 * training pictures.
 */
export const JUDGE = {
  extractor: 'small',
  sampler: 'dpmpp-2m',
  steps: 20,
  guidance: 1.25,
  seed: 1,
  /** Of each class, while rows are screened and at last. */
  samplesPerClass: { screening: 30, final: 118 },
} as const

/** What the judge says of one training. */
export interface Verdict {
  readonly numSamples: number
  readonly kid: { readonly value: number; readonly low: number; readonly high: number }
  /** The same measure of real pictures against other real ones. */
  readonly kidFloor: number | null
  readonly classes: ShareFound
}

/** A judge of one set; it learns to tell the classes when it is first asked. */
export interface Judge {
  judge(weights: string, folder: string, options: { perClass: number; sampling?: string }): Promise<Verdict>
}

/** Opens the judge of a set. */
export function openJudge({ size, folders }: SpeedrunSet): Judge {
  let classifier: Promise<Classifier> | null = null
  const learned = async () => {
    const known = await readPictures(folders.training, size, TRAINING_PER_CLASS)
    return trainClassifier(await examplesOf(known, size), { numClasses: known.classes.length })
  }
  return {
    async judge(weights, folder, { perClass, sampling }) {
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
      const samples = join(folder, 'samples')
      const { sampler, steps, guidance } = JUDGE
      const numSamples = await drawSamples({ sampling: { sampler, steps, guidance } }, weights, {
        folder,
        samples,
        perClass,
        size,
        more: sampling?.split(' ') ?? [],
      })
      const out = join(folder, 'evaluation')
      const sets = ['--data', folders.heldOut, '--size', String(size), '--extractor', JUDGE.extractor]
      if (!(await runDit(['eval', samples, ...sets, '--measures', 'kid', '--out', out, '--force'])))
        throw new Error('the evaluation was stopped; the same command goes on')
      const { measures } = JSON.parse(await readFile(join(out, 'evaluation.json'), 'utf8')) as Evaluation
      const kid = measures.find(({ measure }) => measure === 'kid')
      if (kid === undefined || kid.interval === null) throw new Error(`${out} has no kid with an interval`)
      classifier ??= learned()
      const find = await classifier
      const drawn = await readPictures(samples, size)
      const classes = shareFound(find((await examplesOf(drawn, size)).features), drawn.labels)
      const { low, high } = kid.interval
      return { numSamples, kid: { value: kid.value, low, high }, kidFloor: kid.floor?.value ?? null, classes }
    },
  }
}

/** From which the classifier learns. */
const TRAINING_PER_CLASS = 600
