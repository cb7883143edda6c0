// Which features without a network see what is done to pictures: small pictures are spoilt in known ways, and each candidate is judged by whether
// its distances grow with the strength, and by how far the weakest strength is above the floor of real pictures against real ones.
//
//   npm run experiment -- extractors --fashion <test> --heroes <folder> --silhouettes <folder> --emoji <folder> --out <file.json> \
//     [--pictures <folder>] [--foreign <folder>] [--only <name>]
//
// `--pictures` only writes all pictures as `<set>/<what was done>.npy`, for programs that make features of them; of spoilt ones the first 500.
// `--foreign` reads their features, `<extractor>/<set>/<what was done>.npy`. Candidates that are in the file already are not measured again.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { float64 } from '@dit/backend-cpu/float64'
import { readNpy, writeNpy } from '@dit/checkpoint'
import type { Features } from '@dit/metrics'
import { CANDIDATES } from './candidates.js'
import { CORRUPTIONS } from './corruptions.js'
import { type PictureSet, readPictures, takePictures } from './picture-set.js'
import { type Answer, score, summary } from './score.js'

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== 'extractors'),
  options: {
    fashion: { type: 'string' },
    heroes: { type: 'string' },
    silhouettes: { type: 'string' },
    emoji: { type: 'string' },
    out: { type: 'string' },
    pictures: { type: 'string' },
    foreign: { type: 'string' },
    only: { type: 'string', multiple: true },
  },
})

/** Pictures of each set at most; half of them are spoilt. */
const POOL = 4000
/** Spoilt pictures that other programs are given. */
const FOREIGN = 500
/** Names the choice of pictures, and the noise. */
const [CHOICE_SEED, NOISE_SEED] = [0, 7]
const SETS = [
  { name: 'fashion', folder: values.fashion, side: 28 },
  { name: 'heroes', folder: values.heroes, side: 32 },
  { name: 'silhouettes', folder: values.silhouettes, side: 28 },
  { name: 'emoji', folder: values.emoji, side: 32 },
  { name: 'emoji 64', folder: values.emoji, side: 64 },
].filter(({ folder }) => folder !== undefined)

interface Result {
  readonly candidate: string
  readonly width: number
  readonly sizes: Readonly<Record<string, ReturnType<typeof summary>>>
  readonly answers: readonly Answer[]
}

if (SETS.length === 0) throw new Error('extractors: the folder of a set is needed, such as --fashion <folder>')
if (values.pictures !== undefined) await writePictures(values.pictures)
else if (values.out === undefined) throw new Error('extractors: --out or --pictures is needed')
else await measureAll(values.out)

async function readSet({ folder, side }: (typeof SETS)[number]): Promise<{ real: PictureSet; half: PictureSet }> {
  const found = await readPictures(folder!, side, POOL, CHOICE_SEED)
  const count = found.count - (found.count % 2)
  const rows = Array.from({ length: count }, (_, i) => i)
  return { real: takePictures(found, rows), half: takePictures(found, rows.slice(count / 2)) }
}

function* spoiltSets(half: PictureSet): Generator<readonly [key: string, set: PictureSet]> {
  for (const { name, strengths, apply } of CORRUPTIONS) {
    for (const strength of strengths) yield [`${name} ${strength}`, apply(half, strength, NOISE_SEED)]
  }
}

async function writePictures(to: string): Promise<void> {
  for (const set of SETS) {
    const { real, half } = await readSet(set)
    const few = takePictures(half, Array.from({ length: FOREIGN }, (_, i) => i))
    mkdirSync(join(to, set.name), { recursive: true })
    for (const [key, { count, height, width, pixels }] of [['real', real] as const, ...spoiltSets(few)])
      writeFileSync(join(to, set.name, `${key}.npy`), writeNpy({ dtype: 'U8', shape: [count, height, width, 3], data: pixels }))
    console.log(`${set.name}: ${real.count} pictures`)
  }
}

async function measureAll(out: string): Promise<void> {
  const foreign = values.foreign === undefined ? [] : readdirSync(values.foreign)
  const names = [...CANDIDATES.map(({ name }) => name), ...foreign].filter(
    (name) => values.only === undefined || values.only.includes(name),
  )
  const results: Result[] = existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as Result[]) : []
  const products = await float64()
  for (const name of names.filter((candidate) => results.every((result) => result.candidate !== candidate))) {
    const candidate = CANDIDATES.find((one) => one.name === name)
    const answers: Answer[] = []
    let width = 0
    for (const set of SETS) {
      if (candidate === undefined && !existsSync(join(values.foreign!, name, set.name))) continue
      const { real: pictures, half } = await readSet(set)
      const at = (key: string) => readFeatures(join(values.foreign!, name, set.name, `${key}.npy`))
      const real = candidate === undefined ? at('real') : await candidate.extract(pictures)
      const spoilt: Record<string, Features> = {}
      for (const [key, spoiltPictures] of spoiltSets(candidate === undefined ? takePictures(half, []) : half))
        spoilt[key] = candidate === undefined ? at(key) : await candidate.extract(spoiltPictures)
      width = real.shape[1]
      const features = { set: set.name, real, labels: half.labels, spoilt }
      const isWhole = candidate !== undefined && half.count >= 2000
      for (const size of isWhole ? [500, 2000] : [500]) answers.push(...score(features, size, products))
    }
    const sizes = Object.fromEntries(
      [500, 2000].flatMap((size) => {
        const those = answers.filter((answer) => answer.size === size)
        return those.length === 0 ? [] : [[size, summary(those)]]
      }),
    )
    results.push({ candidate: name, width, sizes, answers })
    writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`)
    console.log(name, width, JSON.stringify(sizes))
  }
  await products.dispose()
}

function readFeatures(path: string): Features {
  const { shape, data } = readNpy(readFileSync(path))
  if (!(data instanceof Float32Array)) throw new Error(`extractors: ${path} must hold float32`)
  return { shape, data }
}
