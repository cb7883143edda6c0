// Does a network that learned from captions follow captions it has never seen? Captioned heroes (`tools/data-sets/captioned-heroes.ts`): one in
// five combinations of species, garment and weapon is kept from training. The encoder is a bag of words: a row for each word of a caption.
//
//   npm run experiment -- captions --parts <folder player> --out <folder> [--steps 8000] [--minutes 45]
//
// Training stops after `--minutes`; called again it goes on. Writes `<out>/captions.json`: how often classifiers that learned from
// training pictures find species, garment and weapon in samples of unseen captions, and in real dolls of the same captions.
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readNpz } from '@dit/checkpoint'
import { writeSafetensorsFile } from '@dit/checkpoint/node'
import { ATTRIBUTES, captionedHeroes, type Doll, MOST_WORDS, WORDS } from '../data-sets/captioned-heroes.js'
import { SIDE } from '../data-sets/heroes-dataset.mjs'
import { shareFound, trainClassifier } from '../pretrained/classifier.js'
import { examplesOf } from '../pretrained/measure.js'
import { gridPng, writePictures } from '../pretrained/pictures.js'
import { runDit } from '../pretrained/run-dit.js'

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== 'captions'),
  options: {
    parts: { type: 'string' },
    out: { type: 'string' },
    steps: { type: 'string', default: '8000' },
    minutes: { type: 'string', default: '45' },
  },
})
const { parts, out } = values
if (parts === undefined || out === undefined) throw new Error('captions: --parts and --out are needed')

/** Dolls of each species to train on, and to judge by. */
const [TRAINING, JUDGED] = [900, 30]
const NETWORK = '--block cross-attention --patch 2 --hidden 64 --depth 4 --heads 2 --condition-dropout 0.1'
const RECIPE =
  '--predict x0 --schedule squaredcos_cap_v2 --variance fixedSmall --batch 16 --lr 0.005 --warmup 100 --decay cosine --final-lr 0.02 --beta2 0.99 --ema 0.999 --ema-warmup --no-flip --seed 0'
const SAMPLING = '--sampler dpmpp-2m --steps 20 --guidance 1.5 --seed 1'

const numSpecies = ATTRIBUTES.species.length
const seen = await captionedHeroes(parts, { seed: 0, isUnseen: false })
const unseen = await captionedHeroes(parts, { seed: 1, isUnseen: true })
const [known, asked] = [TRAINING, JUDGED].map((each) => Array.from({ length: each * numSpecies }, (_, i) => i))
const pictures = join(out, 'pictures')
const prompts = join(out, 'prompts.safetensors')

if (!existsSync(join(pictures, 'conditions.safetensors'))) {
  await rm(pictures, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  await writePictures(
    join(pictures, 'heroes'),
    known.map((i) => bytesOf(seen.draw(i))),
    SIDE,
  )
  const fileOf = (i: number) => `heroes/${String(i).padStart(5, '0')}.png`
  await writeCaptions(join(pictures, 'conditions.safetensors'), known.map(seen.dollOf), known.map(fileOf))
  const dolls = asked.map(unseen.dollOf)
  await writeCaptions(
    prompts,
    dolls,
    dolls.map(({ words }, i) => `${words.join('-')}-${i}.png`),
  )
}

const run = join(out, 'run')
const keeping = '--checkpoint-every 500 --keep-last 1 --sample-every 2000'
const words = `--size ${SIDE} --conditions caption ${NETWORK} ${RECIPE} --steps ${values.steps} ${keeping}`.split(' ')
const training = existsSync(join(run, 'config.json'))
  ? ['train', '--resume', run]
  : ['train', '--data', pictures, ...words, '--out', run]
if (await runDit(training, { minutes: Number(values.minutes) })) await judge()
else console.log('captions: the same command goes on')

/** What a caption is for the network: a row for each word, zeros and one number, so that values have a deviation of 1. */
async function writeCaptions(path: string, dolls: readonly Doll[], files: readonly string[]): Promise<void> {
  const size = WORDS.length
  const data = new Float32Array(dolls.length * MOST_WORDS * size)
  for (const [i, { words: own }] of dolls.entries()) {
    for (const [j, word] of own.entries()) data[(i * MOST_WORDS + j) * size + WORDS.indexOf(word)] = Math.sqrt(size)
  }
  await writeSafetensorsFile(
    path,
    {
      caption: { dtype: 'F32', shape: [dolls.length, MOST_WORDS, size], data },
      'caption.length': {
        dtype: 'I32',
        shape: [dolls.length],
        data: Int32Array.from(dolls, (doll) => doll.words.length),
      },
    },
    { metadata: { files: JSON.stringify(files) } },
  )
}

async function judge(): Promise<void> {
  const npz = join(out!, 'samples.npz')
  await Promise.all([npz, join(out!, 'samples.png')].map(async (path) => rm(path, { force: true })))
  const outputs = ['--npz', npz, '--out', join(out!, 'samples.png')]
  await runDit(['sample', run, '--conditions', prompts, ...SAMPLING.split(' '), ...outputs])
  const arrays = await readNpz(await readFile(npz))
  const samples = arrays.get('arr_0')!.data as Uint8Array
  const dolls = asked.map(unseen.dollOf)
  const real = Uint8Array.from(asked.flatMap((i) => [...bytesOf(unseen.draw(i))]))
  const knownDolls = known.map(seen.dollOf)
  const learned = Uint8Array.from(known.flatMap((i) => [...bytesOf(seen.draw(i))]))
  const results: Record<string, unknown> = {}
  const right = { samples: dolls.map(() => true), real: dolls.map(() => true) }
  for (const attribute of ['species', 'garment', 'weapon'] as const) {
    const numClasses = ATTRIBUTES[attribute].length
    const featuresOf = async (pixels: Uint8Array, of: readonly Doll[]) =>
      examplesOf({ classes: ATTRIBUTES[attribute], labels: labelsOf(of, attribute), pixels, count: of.length }, SIDE)
    const find = trainClassifier(await featuresOf(learned, knownDolls), { numClasses })
    const labels = labelsOf(dolls, attribute)
    const judged = async (pixels: Uint8Array, which: keyof typeof right) => {
      const found = find((await featuresOf(pixels, dolls)).features)
      found.forEach((label, i) => (right[which][i] &&= label === labels[i]))
      return shareFound(found, labels)
    }
    results[attribute] = {
      classes: numClasses,
      samples: await judged(samples, 'samples'),
      real: await judged(real, 'real'),
    }
  }
  const all = (which: keyof typeof right) =>
    shareFound(
      right[which].map(Number),
      right[which].map(() => 1),
    )
  results['all three'] = { samples: all('samples'), real: all('real') }
  const command = ['dit', 'train', ...words].join(' ')
  await writeFile(join(out!, 'captions.json'), `${JSON.stringify({ command, sampling: SAMPLING, results }, null, 2)}\n`)
  console.log(JSON.stringify(results, null, 2))
  const area = 3 * SIDE * SIDE
  const rows = Array.from({ length: 2 * 5 }, (_, row) => {
    const from = row % 2 === 0 ? samples : real
    return Array.from({ length: 17 }, (_one, column) => {
      const i = Math.floor(row / 2) * numSpecies + column
      return from.subarray(i * area, (i + 1) * area)
    })
  })
  await writeFile(join(out!, 'captions.png'), await gridPng(rows, SIDE))
}

function labelsOf(dolls: readonly Doll[], attribute: keyof typeof ATTRIBUTES): Int32Array {
  return Int32Array.from(dolls, (doll) => doll[attribute])
}

/** RGB bytes, `[32, 32, 3]`, of a picture `[3, 32, 32]`. */
function bytesOf(planes: Float32Array): Uint8Array {
  const area = SIDE * SIDE
  return Uint8Array.from({ length: planes.length }, (_, at) =>
    Math.round((planes[(at % 3) * area + Math.floor(at / 3)] + 1) * 127.5),
  )
}
