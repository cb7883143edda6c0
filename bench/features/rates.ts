// Pictures a second of the networks of @dit/features, beside eager float32 PyTorch in the same run: one batch each, in turn.
//
//     node --conditions=@dit/source --import ./tools/typescript.mjs bench/features/rates.ts \
//       --python PYTHON --inception inception-by-formula.pth --lite0 efficientnet-lite0.pth [--threads 2] [--rounds 9] [--out FILE]
//
// tools/oracle/features.py --files writes the first file; the Python needs what that script names.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cpu } from '@dit/backend-cpu'
import type { FeatureExtractor } from '@dit/features'
import { openExtractor } from '@dit/features/node'
import { formulaPictures } from '../../packages/features/test/formula.js'
import { aligned } from '../table.js'

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    inception: { type: 'string' },
    lite0: { type: 'string' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '9' },
    count: { type: 'string', default: '8' },
    out: { type: 'string' },
  },
})
const [threads, rounds, count] = [values.threads, values.rounds, values.count].map(Number)
const { python, inception, lite0 } = values
if (python === undefined || (inception === undefined && lite0 === undefined))
  throw new Error('rates: --python and at least one of --inception and --lite0 must be given')

interface Timed {
  readonly seconds: number
  readonly cpuSeconds: number
}

/** A process of PyTorch that runs one batch for each name. */
async function startPeer(): Promise<{ what: string; run(name: string): Promise<Timed>; end(): void }> {
  const question = JSON.stringify({ inception, lite0, threads, count })
  const child = spawn(python!, [fileURLToPath(new URL('peer.py', import.meta.url)), question], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('rates: the process of PyTorch ended')
    return JSON.parse(value) as Timed & { what: string }
  }
  const { what } = await answer()
  const run = async (name: string) => {
    child.stdin.write(`${name}\n`)
    return answer()
  }
  return { what, run, end: () => child.stdin.end() }
}

async function timed(run: () => Promise<unknown>): Promise<Timed> {
  const [start, cpuStart] = [performance.now(), process.cpuUsage()]
  await run()
  const { user, system } = process.cpuUsage(cpuStart)
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 }
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

const backend = await cpu({ threads, engine: 'native' })
const cases: readonly { name: string; file: string | undefined; size: number; layer: string }[] = [
  { name: 'inception', file: inception, size: 299, layer: '2048' },
  { name: 'lite0', file: lite0, size: 224, layer: 'logits' },
]
const peer = await startPeer()
const rows = []
for (const { name, file, size, layer } of cases) {
  if (file === undefined) continue
  const extractor: FeatureExtractor = await openExtractor(file, { backend })
  const pictures = formulaPictures(count, size, size)
  const [ours, theirs]: Timed[][] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    const own = await timed(() => extractor.extract(pictures, [layer]))
    const other = await peer.run(name)
    if (round === 0) continue // warms up
    ours.push(own)
    theirs.push(other)
  }
  extractor.dispose()
  const rate = (times: readonly Timed[]) => count / median(times.map(({ seconds }) => seconds))
  const cpuOf = (times: readonly Timed[]) => median(times.map(({ cpuSeconds }) => cpuSeconds)) / count
  const ratios = ours.map(({ seconds }, i) => theirs[i].seconds / seconds).toSorted((a, b) => a - b)
  rows.push({
    network: name,
    size,
    count,
    threads,
    rounds,
    engine: backend.name,
    peer: peer.what,
    picturesPerSecond: rate(ours),
    peerPicturesPerSecond: rate(theirs),
    cpuSecondsPerPicture: cpuOf(ours),
    peerCpuSecondsPerPicture: cpuOf(theirs),
    ratio: median(ratios),
    ratioRange: [ratios[0], ratios[ratios.length - 1]],
  })
}
peer.end()
await backend.dispose()
console.log(
  aligned([
    ['network', 'pictures/s', 'PyTorch', 'ratio', 'range', 'CPU s', 'PyTorch'],
    ...rows.map((row) => [
      row.network,
      row.picturesPerSecond.toFixed(2),
      row.peerPicturesPerSecond.toFixed(2),
      row.ratio.toFixed(2),
      row.ratioRange.map((ratio) => ratio.toFixed(2)).join(' to '),
      row.cpuSecondsPerPicture.toFixed(4),
      row.peerCpuSecondsPerPicture.toFixed(4),
    ]),
  ]),
)
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(rows, null, 2)}\n`)
