import { parentPort, workerData } from 'node:worker_threads'
import { watchAllocations } from './allocations.js'
import { startCoverage } from './coverage.js'
import type { FuzzJob, FuzzReport } from './job.js'
import { INPUT_BYTES } from './job.js'

const { target: name, seed, seconds, shared } = workerData as FuzzJob
const largestSince = watchAllocations()
// After the watch, so that what they import sees it.
const [{ TARGETS }, { drawsOf, mutate }, { randomStream }] = await Promise.all([
  import('./targets.js'),
  import('./mutate.js'),
  import('@dit/random'),
])
const target = TARGETS[name]
const words = target.words.map((word) => Uint8Array.from(word, (letter) => letter.charCodeAt(0)))
const draw = drawsOf(randomStream(seed, 'fuzz', name))
const coverage = startCoverage((url) => /\/packages\/(?:checkpoint|data|onnx)\//.test(url))
const state = new Int32Array(shared, 0, 2) // inputs tried, bytes of the one in work
const current = new Uint8Array(shared, 8, INPUT_BYTES)

/** Inputs between two looks at the coverage, which takes longer than an input. */
const BATCH = 32

const corpus = target.seeds().map((bytes) => bytes.slice(0, INPUT_BYTES))
if (corpus.length === 0) corpus.push(new Uint8Array(1))
const findings: FuzzReport['findings'][number][] = []
const kinds = new Set<string>()
let [slowest, largest, largestAt, accepted] = [0, 0, 0, 0]

async function tryInput(bytes: Uint8Array): Promise<void> {
  current.set(bytes)
  Atomics.store(state, 1, bytes.length)
  largestSince()
  const begun = performance.now()
  try {
    await target.run(bytes)
    accepted++
  } catch (error) {
    if (!target.errors.some((kind) => error instanceof kind)) note(error, bytes)
  }
  const taken = performance.now() - begun
  if (taken > slowest) slowest = Math.max(slowest, Math.min(taken, await timeAgain(bytes)))
  const allocated = largestSince()
  if (allocated > largest) [largest, largestAt] = [allocated, bytes.length]
  Atomics.add(state, 0, 1)
}

/** The machine may have been busy: an input is as slow as the faster of two more runs. */
async function timeAgain(bytes: Uint8Array): Promise<number> {
  let fastest = Infinity
  for (let run = 0; run < 2; run++) {
    const begun = performance.now()
    await target.run(bytes).catch(() => {})
    fastest = Math.min(fastest, performance.now() - begun)
  }
  return fastest
}

/** One finding of each kind is enough. */
function note(error: unknown, bytes: Uint8Array): void {
  const text = error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 200) : String(error)
  const kind =
    error instanceof Error ? (error.stack ?? text).split('\n').slice(0, 3).join(' ').replaceAll(/\d+/g, '') : text
  if (kinds.has(kind) || kinds.size > 100) return
  kinds.add(kind)
  findings.push({ text, input: bytes.slice() })
}

const seeds = corpus.length
for (const bytes of corpus) await tryInput(bytes)
coverage.countNew(true)
const end = performance.now() + seconds * 1000
while (performance.now() < end) {
  // The newest are tried more often: they are where something was found.
  const pick = () => corpus[draw(2) === 0 ? draw(corpus.length) : corpus.length - 1 - draw(Math.min(corpus.length, 64))]
  const batch = Array.from({ length: BATCH }, () => mutate(pick(), pick(), words, draw).slice(0, INPUT_BYTES))
  for (const bytes of batch) await tryInput(bytes)
  if (coverage.countNew(false) === 0) continue
  // Something is new: which of them was it?
  for (const bytes of batch) {
    await tryInput(bytes)
    if (coverage.countNew(true) > 0) corpus.push(bytes)
  }
}
const report: FuzzReport = {
  inputs: Atomics.load(state, 0),
  accepted,
  seeds,
  corpus: corpus.length,
  blocks: coverage.blocks,
  slowest,
  largest,
  largestAt,
  findings,
}
parentPort!.postMessage(report)
