// Which features without a network see what is done to pictures: small pictures are spoilt in known ways, and each candidate is judged by whether
// its distances grow with the strength, and by how far the weakest strength is above the floor of real pictures against real ones.
//
//   npm run experiment -- extractors --fashion <test> --heroes <folder> --silhouettes <folder> --emoji <folder> --out <file.json> \
//     [--pictures <folder>] [--foreign <folder>] [--only <name>] [--on <set>]
//
// `--pictures` only writes all pictures as `<set>/<what was done>.npy`, for programs that make features of them; of spoilt ones the first 500.
// `--foreign` reads their features, `<extractor>/<set>/<what was done>.npy`. What the file has already is not measured again.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { float64 } from '@dit/backend-cpu/float64'
import { readNpy, writeNpy } from '@dit/checkpoint'
import type { Features } from '@dit/metrics'
import { type Candidate as OwnCandidate, CANDIDATES, columnsOf, SOURCES } from './candidates.js'
import { CORRUPTIONS } from './corruptions.js'
import { type PictureSet, readPictures, takePictures } from './picture-set.js'
import { type Answer, score, type SpoiltFeatures, summary } from './score.js'

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
    on: { type: 'string', multiple: true },
  },
})

/** Pictures of each set at most; those that are spoilt are of the second half. */
const POOL = 4000
/** Spoilt pictures: enough for sets of 500, on one set for sets of 2,000. */
const [FEW, MANY] = [500, 2000]
/** Names the choice of pictures, and the noise. */
const [CHOICE_SEED, NOISE_SEED] = [0, 7]
const SETS = [
  { name: 'fashion', folder: values.fashion, side: 28, numSpoilt: MANY },
  { name: 'heroes', folder: values.heroes, side: 32, numSpoilt: FEW },
  { name: 'silhouettes', folder: values.silhouettes, side: 28, numSpoilt: FEW },
  { name: 'emoji', folder: values.emoji, side: 32, numSpoilt: FEW },
  { name: 'emoji 64', folder: values.emoji, side: 64, numSpoilt: FEW },
].filter(({ name, folder }) => folder !== undefined && (values.on?.includes(name) ?? true))

/** One of ours, or features that another program made. */
type Candidate =
  | OwnCandidate
  | { readonly name: string; readonly source: null; readonly keeps?: undefined; readonly sets?: undefined }

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

interface Halves {
  readonly real: PictureSet
  /** The second half of it. */
  readonly half: PictureSet
}

async function readSet({ folder, side }: (typeof SETS)[number]): Promise<Halves> {
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
    mkdirSync(join(to, set.name), { recursive: true })
    for (const [key, { count, height, width, pixels }] of [['real', real] as const, ...spoiltSets(first(half, FEW))])
      writeFileSync(
        join(to, set.name, `${key}.npy`),
        writeNpy({ dtype: 'U8', shape: [count, height, width, 3], data: pixels }),
      )
    console.log(`${set.name}: ${real.count} pictures`)
  }
}

async function measureAll(out: string): Promise<void> {
  const foreign =
    values.foreign === undefined ? [] : readdirSync(values.foreign).filter((name) => !name.endsWith(' logits'))
  const all: Candidate[] = [...CANDIDATES, ...foreign.map((name) => ({ name, source: null }))]
  const results: Result[] = existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as Result[]) : []
  const products = await float64()
  for (const set of SETS) {
    const left = all.filter(
      ({ name, sets }) =>
        (sets?.includes(set.name) ?? true) &&
        (values.only?.includes(name) ?? true) &&
        !results.some(({ candidate, answers }) => candidate === name && answers.some((one) => one.set === set.name)),
    )
    if (left.length === 0) continue
    const pictures = await readSet(set)
    for (const source of new Set(left.map((candidate) => candidate.source))) {
      const features = source === null ? null : await featuresOf(source, set, pictures)
      for (const candidate of left.filter((one) => one.source === source)) {
        const these = features ?? foreignFeatures(candidate.name, set.name, pictures)
        if (these === null) continue
        const kept = {
          ...these,
          real: columnsOf(these.real, candidate.keeps),
          spoilt: mapValues(these.spoilt, (one) => columnsOf(one, candidate.keeps)),
        }
        const isWhole = Object.values(kept.spoilt)[0].shape[0] >= MANY
        const answers = (isWhole ? [FEW, MANY] : [FEW]).flatMap((size) => score(kept, size, products))
        add(results, candidate.name, kept.real.shape[1], answers)
        writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`)
        console.log(set.name, candidate.name, JSON.stringify(summary(answers.filter(({ size }) => size === FEW))))
      }
    }
  }
  await products.dispose()
}

async function featuresOf(
  source: keyof typeof SOURCES,
  { name, numSpoilt }: (typeof SETS)[number],
  { real, half }: Halves,
): Promise<SpoiltFeatures> {
  const extract = SOURCES[source]
  const spoilt: Record<string, Features> = {}
  const few = first(half, source === 'random' ? FEW : numSpoilt)
  for (const [key, pictures] of spoiltSets(few)) spoilt[key] = await extract(pictures)
  return { set: name, real: await extract(real), labels: half.labels, spoilt }
}

/** Null where there are none of the set. */
function foreignFeatures(name: string, set: string, { half }: Halves): SpoiltFeatures | null {
  const folder = join(values.foreign!, name, set)
  if (!existsSync(folder)) return null
  const at = (key: string) => readFeatures(join(folder, `${key}.npy`))
  const keys = CORRUPTIONS.flatMap(({ name: what, strengths }) => strengths.map((strength) => `${what} ${strength}`))
  const spoilt = Object.fromEntries(keys.map((key) => [key, at(key)]))
  return { set, real: at('real'), labels: half.labels, spoilt }
}

/** Joins answers to those of the same candidate on other sets. */
function add(results: Result[], candidate: string, width: number, answers: readonly Answer[]): void {
  const at = results.findIndex((result) => result.candidate === candidate)
  const all = [...(results[at]?.answers ?? []), ...answers]
  const sizes = Object.fromEntries(
    [FEW, MANY].flatMap((size) => {
      const those = all.filter((answer) => answer.size === size)
      return those.length === 0 ? [] : [[size, summary(those)]]
    }),
  )
  const result = { candidate, width, sizes, answers: all }
  if (at < 0) results.push(result)
  else results[at] = result
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

function first(set: PictureSet, count: number): PictureSet {
  return takePictures(
    set,
    Array.from({ length: Math.min(count, set.count) }, (_, i) => i),
  )
}

function readFeatures(path: string): Features {
  const { shape, data } = readNpy(readFileSync(path))
  if (!(data instanceof Float32Array)) throw new Error(`extractors: ${path} must hold float32`)
  return { shape, data }
}
