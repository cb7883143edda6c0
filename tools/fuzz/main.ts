import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type FuzzJob, type FuzzReport, INPUT_BYTES } from './job.js'

const NAMES = [
  'safetensors',
  'safetensors-header',
  'npy',
  'npz',
  'torch',
  'torch-pickle',
  'shards',
  'tar',
  'tar-summed',
  'onnx',
]

const USAGE = `npm run fuzz -- [--seconds 60] [--target ${NAMES.join('|')}] [--seed N] [--out DIR]

Fuzzes the readers of @dit/checkpoint, of tar archives and of ONNX files, guided by V8's coverage: inputs that run something new are kept and changed further. Tells
for each target how many inputs were tried and what was found; findings and hangs are written to DIR (default fuzz-findings).
Exit code 1 where there are any.`

/** An input that takes longer is a hang. */
const HANG_MS = 10_000

/** Between two looks at a worker. */
const LOOK_MS = 250

/** Of the columns of counts. */
const WIDTHS = [7, 9, 7, 7, 8, 6]

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      target: { type: 'string' },
      seed: { type: 'string', default: '0' },
      out: { type: 'string', default: 'fuzz-findings' },
      help: { type: 'boolean', default: false },
    },
  })
  const targets = values.target === undefined ? NAMES : [values.target]
  if (values.help || !targets.every((name) => NAMES.includes(name))) return (console.log(USAGE), values.help ? 0 : 2)
  console.log(
    'target               inputs  accepted  corpus  blocks  crashes  hangs  slowest  largest array (of input)',
  )
  let failed = 0
  for (const target of targets) {
    const shared = new SharedArrayBuffer(8 + INPUT_BYTES)
    const job = { target, seed: Number(values.seed), seconds: Number(values.seconds), shared }
    const { report, hang, inputs } = await runWorker(job)
    const crashes = report?.findings ?? []
    const row = report ?? { accepted: 0, corpus: 0, blocks: 0, slowest: HANG_MS, largest: 0, largestAt: 0 }
    const counts = [inputs, row.accepted, row.corpus, row.blocks, crashes.length, hang === null ? 0 : 1]
    const cells = counts.map((count, i) => String(count).padStart(WIDTHS[i])).join(' ')
    const slowest = `${row.slowest.toFixed(0)} ms`.padStart(8)
    console.log(`${target.padEnd(20)}${cells} ${slowest} ${row.largest} (${row.largestAt})`)
    crashes.forEach(({ text, input }, i) => save(values.out, `${target}-${i}`, input, text))
    if (hang !== null) save(values.out, `${target}-hang`, hang, `hung for ${HANG_MS} ms, or ended the process`)
    failed += crashes.length + (hang === null ? 0 : 1)
  }
  return failed > 0 ? 1 : 0
}

/** Runs a target in a thread that can be stopped when an input does not end. */
async function runWorker(
  job: FuzzJob,
): Promise<{ readonly report: FuzzReport | null; readonly hang: Uint8Array | null; readonly inputs: number }> {
  const state = new Int32Array(job.shared, 0, 2)
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: job })
  let [last, idle] = [0, 0]
  const report = await new Promise<FuzzReport | null>((resolve) => {
    const watch = setInterval(() => {
      const now = Atomics.load(state, 0)
      idle = now === last ? idle + 1 : 0
      last = now
      // Looks are counted, not time: while the whole process is stopped, nobody hangs. Loading takes its time, too.
      if (idle * LOOK_MS > (last === 0 ? 12 : 1) * HANG_MS) resolve(null)
    }, LOOK_MS)
    worker.once('message', resolve)
    worker.once('error', (error) => {
      console.error(error)
      resolve(null)
    })
    worker.once('exit', () => {
      clearInterval(watch)
      resolve(null)
    })
  })
  await worker.terminate()
  const input = new Uint8Array(job.shared, 8, Atomics.load(state, 1)).slice()
  return { report, hang: report === null ? input : null, inputs: Atomics.load(state, 0) }
}

function save(folder: string, name: string, input: Uint8Array, text: string): void {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.bin`)
  writeFileSync(path, input)
  console.log(`  ${path}: ${text}`)
}

process.exitCode = await main()
