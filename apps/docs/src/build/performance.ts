import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bar, bars } from './bars.js'
import { allPages, repository } from './paths.js'
import { targetOf } from './write-pages.js'

const folder = join(repository, 'bench/results')

/** What pages show of a record of `npm run bench -- --json`. */
interface Bench {
  readonly date: string
  readonly machine: {
    readonly cpu: string
    readonly vectors: readonly string[]
    readonly cores: number
    readonly node: string
  }
  readonly rounds: number
  readonly results: readonly {
    readonly case: string
    readonly threads: number
    readonly description: string
    readonly engine: string
    readonly medianMs: number
    readonly spreadMs: number
    readonly peakBytes: number
  }[]
  readonly ddp?: readonly {
    readonly engine: string
    readonly tokens: number
    readonly name: string
    readonly speedup: number
    readonly spread: number
  }[]
}

const CASES: Readonly<Record<string, string>> = {
  'train-step-64': 'Training step, DiT-S, batch 8, 64 tokens',
  'train-step-64-recompute': 'The same, with blocks recomputed',
  'train-step-256': 'Training step, DiT-S, batch 8, 256 tokens',
  'sample-1': 'Sampling one picture: four DDIM steps of DiT-S with guidance',
}

/** Puts the plots of all stored measurements into `performance.md`, where its comment asks for them. */
export function writePerformance(): void {
  const page = join(allPages, 'performance.md')
  const text = readFileSync(page, 'utf8').replace(/<!-- (engines|workers) -->/g, (_, name: string) =>
    name === 'engines' ? enginePlots() : workerPlots(),
  )
  writeFileSync(page, text)
}

/** Times of whole steps, case by case. */
function enginePlots(): string {
  return records('step', 'others')
    .flatMap(({ name, bench }) =>
      Object.entries(CASES).flatMap(([id, title]) => {
        const results = bench.results.filter((result) => result.case === id)
        if (results.length === 0) return []
        const rows = results
          .toSorted((a, b) => a.medianMs - b.medianMs)
          .map((result): Bar => {
            const text = `${duration(result.medianMs)} ± ${duration(result.spreadMs / 2)}`
            return {
              name: `${engineName(result.engine, result.description)}${result.threads > 1 ? `, ${result.threads} threads` : ''}`,
              value: result.medianMs,
              text,
              isOurs: result.engine.startsWith('cpu-'),
            }
          })
        return [`### ${title}\n\n${bars(rows, { title, isLog: true })}\n\n${source(name, bench)}`]
      }),
    )
    .join('\n\n')
}

/** What two workers reach against one. */
function workerPlots(): string {
  return records('ddp')
    .flatMap(({ name, bench }) => {
      const rows = (bench.ddp ?? [])
        .filter(({ name, tokens }) => tokens === 64 && name !== 'one worker')
        .map(({ engine, name, speedup, spread }): Bar => ({
          name: `${engine}: ${name}`,
          value: speedup,
          text: `${speedup.toFixed(2)} ± ${(spread / 2).toFixed(2)}`,
          isOurs: name !== 'two that are apart',
        }))
      return [
        `${bars(rows, { title: 'Examples a second of two workers, against one', isLog: false })}\n\n${source(name, bench)}`,
      ]
    })
    .join('\n\n')
}

/** The newest record of each kind. */
function records(...kinds: readonly string[]): { readonly name: string; readonly bench: Bench }[] {
  return kinds.map((kind) => {
    const name = readdirSync(folder)
      .toSorted()
      .findLast((file) => file.endsWith(`-${kind}.json`))
    if (name === undefined) throw new Error(`records: bench/results has no record *-${kind}.json`)
    return { name, bench: JSON.parse(readFileSync(join(folder, name), 'utf8')) as Bench }
  })
}

function engineName(engine: string, description: string): string {
  if (engine === 'pytorch') return `${description}, eager`
  if (engine === 'tfjs-wasm-plain') return `plain TensorFlow.js (${description}), wasm`
  if (engine === 'tfjs-wasm') return `dit on TensorFlow.js (${description})`
  return `dit, ${description}`
}

function source(name: string, { machine, rounds, date }: Bench): string {
  const record = targetOf(`bench/results/${name}`)!
  const made = `${machine.cpu} (${machine.vectors.join(', ')}), ${machine.cores} cores, Node ${machine.node.slice(1)}, ${date.slice(0, 10)}`
  const how = `median of ${rounds} rounds in turns, ± half the distance between the quartiles`
  return `_${made}; ${how}. Record: [${name}](${record.address})_`
}

function duration(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toPrecision(3)} s` : `${ms.toFixed(0)} ms`
}
