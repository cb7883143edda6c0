import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Dataset } from '@dit/data'
import { heroes as model } from '@dit/pretrained'
import { heroesDataset } from '../data-sets/heroes-dataset.mjs'
import { writeHeroes } from '../data-sets/heroes.js'
import { runOrThrow } from '../release/run.js'
import type { ModelSpec, PictureFolders, Prepared, Sizes } from './model-spec.js'
import { writePictures } from './pictures.js'

/** The one player tile on upstream's list of files with unclear licences. */
const UNCLEAR = join('hand1', 'demonblade.png')
/** Seeds of the dolls to train on, and of those that are held out. */
const [TRAINING_SEED, HELD_OUT_SEED] = [0, 1]
/** Held-out dolls drawn beyond those needed, in place of such as are drawn in training, too. */
const SPARE_PER_CLASS = 40
/** Dolls composed at a time. */
const CHUNK = 1024

/**
 * A narrow network with small patches, which predicts the picture itself: at equal compute it has the smaller error and the smaller distance
 * (docs/scaling-experiment.md), and its file is small. The rate is that of the rule fitted there.
 */
const FLAGS =
  '--no-flip --patch 2 --hidden 96 --depth 5 --heads 3 --predict x0 --schedule squaredcos_cap_v2 --variance fixedSmall ' +
  '--lr 0.004 --warmup 200 --decay cosine --final-lr 0.02 --beta2 0.99 --ema 0.999 --ema-warmup'

/** Pixel-art heroes: paper dolls of 17 species, endlessly composed. */
export const heroes: ModelSpec = {
  model,
  size: 32,
  sizes: { steps: 10_000, batch: 16, heldOutPerClass: 118, trainingPerClass: 900 },
  flags: FLAGS.split(' '),
  source: "the source package of Debian's crawl (crawl_*.orig.tar.xz), or its folder `player` of tiles",
  prepare: prepareHeroes,
  card: {
    title: 'heroes',
    about:
      'Pixel-art heroes, 32 x 32, of 17 species: paper dolls with cloak, armour, weapon, shield, hair, beard and helmet. Drawn artwork, composed by a script.',
    data: [
      'The player tiles of Dungeon Crawl Stone Soup 0.28 (`rltiles/player` of its source, as in the source package `crawl` of Debian). The project states that the majority of its tiles are CC0; the RLTiles that they go back to are public domain.',
      '`hand1/demonblade.png` is left out: it is the one player tile on the project’s own list of files with unclear licences.',
      'A script lays parts over each other in a fixed order, each with a chance of its own, on a ground of (71, 68, 92). Every training picture is a new doll.',
    ],
    limits: [
      'It knows these parts and no others: new combinations and blends of them, in one pose and one style.',
      'Guidance is best from 1 to 1.5: stronger guidance bleaches the colours.',
    ],
  },
}

async function prepareHeroes(source: string, sizes: Sizes, folders: PictureFolders): Promise<Prepared> {
  const parts = join(folders.work, 'parts')
  await copyParts(source, parts)
  // So long that each of its dolls is drawn once.
  const length = sizes.steps * sizes.batch
  const stream = await heroesDataset({ parts, length, seed: TRAINING_SEED })
  await holdOut(parts, stream, sizes.heldOutPerClass, folders.heldOut)
  const perClass = Math.min(sizes.trainingPerClass, Math.floor(length / stream.classes.length))
  await writeHeroes(parts, folders.training, { perClass, seed: TRAINING_SEED })
  const module = join(folders.work, 'training.mjs')
  const library = new URL('../data-sets/heroes-dataset.mjs', import.meta.url).href
  const options = JSON.stringify({ parts, length, seed: TRAINING_SEED })
  await writeFile(
    module,
    `import { heroesDataset } from '${library}'\n\nexport const dataset = () => heroesDataset(${options})\n`,
  )
  const numSearched = perClass * stream.classes.length
  return {
    data: module,
    numTraining: length,
    copiesAmong: `the first ${numSearched.toLocaleString('en')} of the ${length.toLocaleString('en')} dolls of training, each of which was seen once`,
  }
}

/** Copies the tiles out of a source package or a folder, without the unclear one. */
async function copyParts(source: string, parts: string): Promise<void> {
  const found = await stat(source).catch(() => null)
  if (found === null) throw new Error(`heroes: there is no file or folder ${source}`)
  const [from, unpacked] = [resolve(source), `${parts}.unpacked`]
  await rm(unpacked, { recursive: true, force: true })
  await rm(parts, { recursive: true, force: true })
  await mkdir(unpacked, { recursive: true })
  if (found.isDirectory()) await cp(source, join(unpacked, 'player'), { recursive: true })
  else {
    await runOrThrow('tar', ['xf', from, '-C', unpacked, '--no-anchored', '--wildcards', 'player'], {
      cwd: unpacked,
      seconds: 600,
    })
  }
  const player = await findPlayer(unpacked)
  if (player === null)
    throw new Error(`heroes: ${source} has no folder \`player\` with the folders base and cloak in it`)
  await rm(join(player, UNCLEAR), { force: true })
  await rename(player, parts)
  await rm(unpacked, { recursive: true, force: true })
}

async function findPlayer(folder: string): Promise<string | null> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const bases = entries
    .filter((entry) => entry.isDirectory() && entry.name === 'base')
    .map(({ parentPath }) => parentPath)
  const clad = new Set(entries.filter(({ name }) => name === 'cloak').map(({ parentPath }) => parentPath))
  return bases.find((parent) => clad.has(parent)) ?? null
}

/** Writes dolls of another seed, of which none equals another or one of training. */
async function holdOut(parts: string, stream: Dataset, perClass: number, out: string): Promise<void> {
  const { classes } = stream
  const length = classes.length * (perClass + SPARE_PER_CLASS)
  const candidates = await heroesDataset({ parts, length, seed: HELD_OUT_SEED })
  const kept = new Map<string, { readonly bytes: Uint8Array; readonly label: number }>()
  for await (const { bytes, label } of picturesOf(candidates)) kept.set(digest(bytes), { bytes, label })
  for await (const { bytes } of picturesOf(stream)) kept.delete(digest(bytes))
  for (const [label, name] of classes.entries()) {
    const some = [...kept.values()].filter((doll) => doll.label === label).slice(0, perClass)
    if (some.length < perClass)
      throw new Error(
        `heroes: of ${name}, only ${some.length} of ${perClass} dolls to hold out are not in training, too`,
      )
    await writePictures(
      join(out, name),
      some.map(({ bytes }) => bytes),
      32,
    )
  }
}

async function* picturesOf(set: Dataset): AsyncGenerator<{ readonly bytes: Uint8Array; readonly label: number }> {
  for (let start = 0; start < set.length; start += CHUNK) {
    const count = Math.min(CHUNK, set.length - start)
    const { x0, labels } = await set.read(Uint32Array.from({ length: count }, (_, i) => start + i))
    const [, height, width] = set.shape
    const area = height * width
    for (let row = 0; row < count; row++) {
      const planes = x0.subarray(row * 3 * area, (row + 1) * 3 * area)
      const bytes = new Uint8Array(3 * area)
      for (let at = 0; at < bytes.length; at++) {
        bytes[at] = Math.round((planes[(at % 3) * area + Math.floor(at / 3)] + 1) * 127.5)
      }
      yield { bytes, label: labels[row] }
    }
  }
}

const digest = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('base64')
