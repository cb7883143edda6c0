// What each measure of `@dit/metrics` says of sets of Fashion-MNIST that are wrong in known ways:
//
//   npm run experiment -- measures --train <folder> --test <folder> --out <file.json> [--count 1000] [--seed 0] [--pictures <folder>] \
//     [--foreign <folder>]
//
// The reference are `count` test pictures, the judged sets as many training pictures, and the training set, among which copies are looked for,
// twice as many others. `--pictures` only writes the pictures as npy; `--foreign` measures features that another program made of
// them, `<extractor>/fashion/<set>.npy`; where there are logits, `<network> logits`, the Inception Score is theirs.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { float64 } from '@dit/backend-cpu/float64'
import { readNpy, writeNpy } from '@dit/checkpoint'
import { smallExtractor } from '@dit/features'
import { type Features, takeRows } from '@dit/metrics'
import { integers, randomStream } from '@dit/random'
import { CORRUPTIONS } from './corruptions.js'
import { measureAll, type SetMeasures } from './measure-set.js'
import { type PictureSet, readPictures, takePictures } from './picture-set.js'

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== 'measures'),
  options: {
    train: { type: 'string' },
    test: { type: 'string' },
    out: { type: 'string' },
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '0' },
    pictures: { type: 'string' },
    foreign: { type: 'string' },
  },
})
const [count, seed] = [Number(values.count), Number(values.seed)]
if (values.train === undefined || values.test === undefined)
  throw new Error('measures: --train and --test are needed, the folders of Fashion-MNIST')
if (!(count >= 100) || !(seed >= 0)) throw new Error('measures: --count must be at least 100, --seed at least 0')

/** Pictures of training: the first half is judged or drawn from, the second is the training set. */
const training = await readPictures(values.train, 28, 4 * count, seed)
const sources: Record<string, PictureSet> = {
  reference: await readPictures(values.test, 28, count, seed),
  pool: rowsOf(training, 0, 2 * count),
  training: rowsOf(training, 2 * count, 4 * count),
}
const real = rowsOf(training, 0, count)
for (const { name, strength } of [
  { name: 'blur', strength: 1 },
  { name: 'noise', strength: 8 },
]) {
  sources[name] = CORRUPTIONS.find((corruption) => corruption.name === name)!.apply(real, strength, seed)
}

if (values.pictures !== undefined) {
  mkdirSync(join(values.pictures, 'fashion'), { recursive: true })
  for (const [name, set] of Object.entries(sources)) {
    const shape = [set.count, set.height, set.width, 3]
    writeFileSync(join(values.pictures, 'fashion', `${name}.npy`), writeNpy({ dtype: 'U8', shape, data: set.pixels }))
  }
} else if (values.out === undefined) throw new Error('measures: --out or --pictures is needed')
else await measureSets(values.out)

interface Result {
  readonly extractor: string
  readonly width: number
  readonly count: number
  readonly seed: number
  readonly sets: Readonly<Record<string, SetMeasures>>
}

async function measureSets(out: string): Promise<void> {
  const results: Result[] = existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as Result[]) : []
  const products = await float64()
  const foreign = values.foreign === undefined ? [] : readdirSync(values.foreign)
  for (const extractor of ['small', ...foreign.filter((name) => !name.endsWith(' logits'))]) {
    if (results.some((result) => result.extractor === extractor && result.count === count && result.seed === seed))
      continue
    const features = await featuresOf(extractor)
    const logitsName = `${extractor.split(' ')[0]} logits`
    const logits = foreign.includes(logitsName) ? await featuresOf(logitsName) : null
    const sets: Record<string, SetMeasures> = {}
    for (const [name, judged] of Object.entries(judgedSets(features))) {
      const own = logits === null ? null : judgedSets(logits)[name]
      const given = { reference: features.reference, training: features.training, judged, logits: own }
      sets[name] = measureAll(given, products)
      console.log(extractor, name, JSON.stringify(sets[name]))
    }
    results.push({ extractor, width: features.pool.shape[1], count, seed, sets })
    writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`)
  }
  await products.dispose()
}

async function featuresOf(extractor: string): Promise<Record<string, Features>> {
  const found: Record<string, Features> = {}
  for (const [name, set] of Object.entries(sources)) {
    if (extractor === 'small') found[name] = (await smallExtractor().extract(set)).all
    else {
      const { shape, data } = readNpy(readFileSync(join(values.foreign!, extractor, 'fashion', `${name}.npy`)))
      if (!(data instanceof Float32Array)) throw new Error(`measures: ${extractor} of ${name} must be float32`)
      found[name] = { shape, data }
    }
  }
  return found
}

/** The sets that are judged, `count` rows each. */
function judgedSets({ pool, training: known, blur, noise }: Record<string, Features>): Record<string, Features> {
  const first = Array.from({ length: count }, (_, i) => i)
  const chosen = integers(randomStream(seed, 'class'), training.classNames.length, 1)[0]
  const ofClass = Array.from({ length: 2 * count }, (_, i) => i).filter((i) => training.labels[i] === chosen)
  const others = Array.from({ length: 2 * count }, (_, i) => i).filter((i) => training.labels[i] !== chosen)
  // A tenth of the set is replaced.
  const tenth = Math.round(count / 10)
  const inFirst = new Set(first.slice(0, count - tenth))
  const more = ofClass.filter((row) => !inFirst.has(row)).slice(0, tenth)
  const withRows = (rows: readonly number[], from: Features) =>
    joinRows(takeRows(pool, first.slice(0, count - rows.length)), takeRows(from, rows))
  return {
    real: takeRows(pool, first),
    blur,
    noise,
    'class missing': takeRows(pool, others.slice(0, count)),
    'class repeated': withRows(more, pool),
    'copies of training pictures': withRows(first.slice(0, tenth), known),
    'copies of ten samples': withRows(
      first.slice(0, tenth).map((i) => i % 10),
      pool,
    ),
  }
}

function joinRows(one: Features, other: Features): Features {
  const data = new Float32Array(one.data.length + other.data.length)
  data.set(one.data)
  data.set(other.data, one.data.length)
  return { shape: [one.shape[0] + other.shape[0], one.shape[1]], data }
}

function rowsOf(set: PictureSet, start: number, end: number): PictureSet {
  return takePictures(
    set,
    Array.from({ length: end - start }, (_, i) => start + i),
  )
}
