import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { garments as model } from '@dit/pretrained'
import { writeFashion } from '../data-sets/fashion-mnist.js'
import type { ModelSpec, PictureFolders, Prepared, Sizes } from './model-spec.js'

/** The network of the heroes, in which nothing but the size of the pictures is another. */
const FLAGS =
  '--no-flip --patch 2 --hidden 96 --depth 5 --heads 3 --predict x0 --schedule squaredcos_cap_v2 --variance fixedSmall ' +
  '--lr 0.004 --warmup 200 --decay cosine --final-lr 0.02 --beta2 0.99 --ema 0.999 --ema-warmup'

/** Garments: Fashion-MNIST in its own light. */
export const garments: ModelSpec = {
  model,
  size: 28,
  sizes: { steps: 10_000, batch: 16, heldOutPerClass: 200, trainingPerClass: 1500 },
  flags: FLAGS.split(' '),
  source: 'the folder of the idx files of Fashion-MNIST (/usr/share/datasets/fashion-mnist of Debian)',
  prepare: prepareGarments,
  card: {
    title: 'garments',
    about: 'Garments of ten kinds, 28 x 28: photographs of a catalogue, in grey, on white.',
    data: [
      'Fashion-MNIST by Zalando (Xiao, Rasul and Vollgraf 2017), MIT licence; Debian’s package `dataset-fashion-mnist` has the files. The set stores its photographs negated, on black. Here they are as they were taken, on white.',
      'Trained on its training part. The held-out pictures are the first 200 of each class in its test part.',
    ],
    limits: [
      'The network has three channels, and nothing forces them to be equal: a faint tint is possible.',
      'Shirts, coats and pullovers look alike at this size, in the set itself too.',
      'Prints and lettering on clothes are patterns, and say nothing.',
    ],
  },
}

async function prepareGarments(source: string, sizes: Sizes, folders: PictureFolders): Promise<Prepared> {
  const all = join(folders.work, 'fashion')
  await rm(all, { recursive: true, force: true })
  await writeFashion(source, all, { isPositive: true })
  await rename(join(all, 'train'), folders.training)
  await rename(join(all, 'test'), folders.heldOut)
  for (const name of await readdir(folders.heldOut)) {
    const files = (await readdir(join(folders.heldOut, name))).toSorted()
    for (const file of files.slice(sizes.heldOutPerClass)) await rm(join(folders.heldOut, name, file))
  }
  await rm(all, { recursive: true })
  const classes = await readdir(folders.training)
  const counts = await Promise.all(classes.map(async (name) => (await readdir(join(folders.training, name))).length))
  const numTraining = counts.reduce((sum, count) => sum + count, 0)
  return {
    data: folders.training,
    numTraining,
    copiesAmong: `all ${numTraining.toLocaleString('en')} training pictures`,
  }
}
