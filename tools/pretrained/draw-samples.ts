import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readNpz } from '@dit/checkpoint'
import { openModel } from '@dit/pipeline/node'
import type { PretrainedModel } from '@dit/pretrained'
import { writePictures } from './pictures.js'
import { runDit } from './run-dit.js'

/** Seed of the samples that are measured and shown: all of them, none chosen. */
export const SAMPLES_SEED = 1

/**
 * Draws samples of each class by the settings that suit the model, and writes them into class folders. A stopped drawing goes on.
 *
 * @returns how many
 */
export async function drawSamples(
  { sampling }: Pick<PretrainedModel, 'sampling'>,
  weights: string,
  {
    folder,
    samples,
    perClass,
    size,
    more = [],
  }: {
    readonly folder: string
    readonly samples: string
    readonly perClass: number
    readonly size: number
    /** Further flags of `dit sample`; the last of a kind counts. */
    readonly more?: readonly string[]
  },
): Promise<number> {
  const npz = join(folder, 'samples.npz')
  const { sampler, steps, guidance } = sampling
  const settings = ['--sampler', sampler, '--steps', steps, '--guidance', guidance, '--seed', SAMPLES_SEED].map(String)
  const grid = join(folder, 'samples.png')
  // Whole, but not cut into pictures yet. What was begun is kept elsewhere.
  if (existsSync(npz)) await Promise.all([npz, grid].map(async (path) => rm(path, { force: true })))
  const outputs = ['--npz', npz, '--out', grid]
  if (!(await runDit(['sample', weights, '--count', String(perClass), ...settings, ...more, ...outputs]))) {
    throw new Error('drawing was stopped; the same command goes on')
  }
  const opened = await openModel(weights)
  await opened.close()
  const arrays = await readNpz(await readFile(npz))
  const [pictures, labels] = [arrays.get('arr_0')!, arrays.get('arr_1')!]
  const area = size * size * 3
  const partial = `${samples}.partial`
  await rm(partial, { recursive: true, force: true })
  await rm(samples, { recursive: true, force: true })
  const bytes = pictures.data as Uint8Array
  for (const [label, name] of opened.names.entries()) {
    const own = Array.from(labels.data, Number).flatMap((one, i) => (one === label ? [i] : []))
    const some = own.map((i) => bytes.subarray(i * area, (i + 1) * area))
    await writePictures(join(partial, name), some, size)
  }
  await rename(partial, samples)
  return labels.data.length
}
