import { appendFile, writeFile } from 'node:fs/promises'
import { type BlocksRow, runBlocks } from './blocks/run-blocks.js'
import { areWorkersBuilt, buildWorker } from './built-worker.js'
import { ceilingText, measureCeilings } from './ceiling.js'
import { type DdpRow, runDdp } from './ddp/run-ddp.js'
import { FOREIGN_ENGINES, rowName, rowsOf, supports } from './engines.js'
import { currentLoad, describeMachine, machineText } from './machine.js'
import { type MetricsRow, runMetrics } from './metrics/run-metrics.js'
import { type BenchOptions, parseOptions, USAGE } from './options.js'
import { type Measured, runCase, type Skipped } from './run-case.js'
import { runSolverCost, type SolverCostRow } from './solver-cost/run-solver-cost.js'
import { caseTable } from './table.js'

/** Above this share of the cores, what else runs shows in the figures. */
const BUSY = 0.25

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options === null) {
    console.log(USAGE)
    return 0
  }
  // A file that cannot be written is found before the hour that fills it.
  if (options.json !== null) await appendFile(options.json, '')
  const machine = describeMachine()
  const loadBefore = currentLoad()
  console.log(machineText(machine))
  const isBusy = loadBefore > BUSY * machine.cores
  console.log(`load ${loadBefore.toFixed(2)}${isBusy ? ': the machine is busy, these figures are no record' : ''}`)
  const ceilings = measureCeilings(options.threads)
  console.log(ceilingText(ceilings))
  console.log('memory in MiB: peak = resident, "above state" = peak less parameters, gradients, optimizer state;')
  console.log('"counted" = the same by the engine\'s own count of its buffers; idle = the process before the model\n')

  if (areWorkersBuilt) await buildWorker()
  const { results, skipped, disagreements } = await runCases(options)
  const { engines, rounds } = options
  const ddp: DdpRow[] = []
  for (const size of options.ddp) ddp.push(...(await runDdp({ engines, rounds, size, log })))
  const own = engines.filter((engine) => !FOREIGN_ENGINES.includes(engine))
  const solverCost: SolverCostRow[] = []
  for (const size of options.solverCost) {
    solverCost.push(...(await runSolverCost({ engines: own, threads: options.threads, rounds, size, log })))
  }
  const blocks: BlocksRow[] = []
  for (const size of options.blocks) {
    blocks.push(...(await runBlocks({ engines: own, threads: options.threads, rounds, size, log })))
  }
  const metrics: MetricsRow[] = []
  const kinds = (['native', 'wasm'] as const).filter((kind) => engines.includes(`cpu-${kind}`))
  for (const size of options.metrics) {
    const threads = Math.max(...options.threads)
    const { rows, complaints } = await runMetrics({ engines: kinds, threads, python: options.python, size, log })
    metrics.push(...rows)
    disagreements.push(...complaints)
  }
  if (options.json !== null) {
    const load = { before: loadBefore, after: currentLoad() }
    const date = new Date().toISOString()
    const measured = { results, skipped, disagreements, ddp, solverCost, blocks, metrics }
    const record = { date, machine, ceilings, load, rounds, ...measured }
    await writeFile(options.json, `${JSON.stringify(record, null, 2)}\n`)
  }
  const numRows = [results, ddp, solverCost, blocks, metrics].reduce((sum, rows) => sum + rows.length, 0)
  return disagreements.length > 0 || numRows === 0 ? 1 : 0
}

/** A line that the next one replaces. */
function log(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
}

async function runCases(options: BenchOptions) {
  const results: Measured[] = []
  const skipped: Skipped[] = []
  const disagreements: string[] = []
  const missing = new Set<string>()
  for (const item of options.cases) {
    const rows = rowsOf(options.engines, options.threads).filter(
      (row) => supports(row.engine, item.spec) && !missing.has(rowName(row)),
    )
    const result = await runCase(item, rows, { ...options, log })
    log('')
    for (const skip of result.skipped) {
      if (skip.neverOpened) missing.add(rowName(skip))
      console.log(`${skip.neverOpened ? 'skipped' : `${item.name} failed on`} ${rowName(skip)}: ${skip.reason}`)
    }
    console.log(`${caseTable(item, result.measured, result.agreement, options.baseline)}\n`)
    results.push(...result.measured)
    skipped.push(...result.skipped)
    disagreements.push(...result.agreement.complaints.map((complaint) => `${item.name}: ${complaint}`))
  }
  return { results, skipped, disagreements }
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
