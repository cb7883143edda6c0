// npm run speedrun: which way of training makes the best pictures from a fixed budget of compute?
import { mkdir } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../release/workspace.js'
import { openPace, ratesInTurns } from './calibrate.js'
import { openJudge } from './judge.js'
import { isSame, keepResults, readResults, type Results } from './results.js'
import { rowsNamed, trainingOf } from './rows.js'
import { runOne } from './run-one.js'
import { openSet, prepareSet, SET_NAMES, type SetName } from './sets.js'
import { speedrunTables } from './table.js'

const USAGE = `npm run speedrun -- prepare <work folder> [--heroes <folder player, or archive>] [--fashion <folder of idx files>]
npm run speedrun -- calibrate <work folder> [--set heroes] [--rows all]
npm run speedrun -- run <work folder> [--set heroes] [--rows all] [--budget 4] [--seeds 0,1] [--minutes 45]
npm run speedrun -- table

Trains rows of tools/speedrun/rows.ts, all for the same time of two cores, and judges their samples. Results are kept in
bench/results/speedrun.json.

  prepare     writes the pictures into the work folder, which must lie outside of the repository
  calibrate   counts the steps a second of each row, in turns with one of them, which is measured first: let nothing
              else run then. A budget is that many steps, so that training itself may be disturbed, stopped and
              resumed, and gives the same weights
  run         trains and judges what is not judged yet; stops after --minutes, and goes on when it is repeated
  table       prints the results

  --set       heroes or fashion
  --rows      names with commas between, or all
  --budget    minutes of each training
  --seeds     of each row`

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      heroes: { type: 'string' },
      fashion: { type: 'string' },
      set: { type: 'string', default: 'heroes' },
      rows: { type: 'string', default: 'all' },
      budget: { type: 'string', default: '4' },
      seeds: { type: 'string', default: '0,1' },
      minutes: { type: 'string', default: '45' },
    },
  })
  const [command, folder] = positionals
  if (command === 'table' && positionals.length === 1) {
    console.log(speedrunTables(await readResults()))
    return 0
  }
  const set = SET_NAMES.find((name) => name === values.set)
  const numbers = [values.budget, values.minutes, ...values.seeds.split(',')].map(Number)
  if (folder === undefined || positionals.length > 2 || set === undefined || numbers.some((one) => !(one >= 0))) {
    console.error(USAGE)
    return 2
  }
  // npm starts scripts in the folder of package.json.
  const at = (path: string) => resolve(process.env['INIT_CWD'] ?? '.', path)
  const work = at(folder)
  if (`${work}/`.startsWith(`${repositoryRoot}/`))
    throw new Error(`the work folder must lie outside of the repository (got ${folder})`)
  await mkdir(work, { recursive: true })
  if (command === 'prepare') {
    for (const name of SET_NAMES) {
      const source = values[name]
      if (source !== undefined) await prepareSet(work, name, at(source))
    }
    return 0
  }
  if (command === 'calibrate') return calibrate(work, set, values.rows)
  if (command === 'run') {
    const seeds = values.seeds.split(',').map(Number)
    return runAll(work, set, { names: values.rows, budget: numbers[0], seeds, minutes: numbers[1] })
  }
  console.error(USAGE)
  return 2
}

/** A shared machine is faster in one hour than in the next: each row is measured in turns with this one. */
const REFERENCE = 'x0-patch-2'

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`speedrun: ${(error as Error).message}`)
  return 1
})

async function calibrate(work: string, name: SetName, names: string): Promise<number> {
  const set = await openSet(work, name)
  const [reference] = rowsNamed(REFERENCE)
  const referencePace = await openPace(reference, set, join(work, 'calibration-reference'))
  try {
    // Rates are told as if the machine were always as fast as when this one was measured first.
    const known = (await readResults()).calibration?.stepsPerSecond[name] ?? {}
    const standard = known[REFERENCE] ?? (await ratesInTurns([referencePace]))[0]
    await keepRates(name, { [REFERENCE]: standard })
    for (const row of new Set(rowsNamed(names).map(trainingOf))) {
      if (row === reference) continue
      const pace = await openPace(row, set, join(work, 'calibration'))
      try {
        const [measured, beside] = await ratesInTurns([pace, referencePace])
        const rate = measured * (standard / beside)
        const percent = ((100 * beside) / standard).toFixed(0)
        console.log(`${row.name}: ${rate.toFixed(2)} steps/s (the machine at ${percent} % of its speed)`)
        await keepRates(name, { [row.name]: rate })
      } finally {
        await pace.close()
      }
    }
  } finally {
    await referencePace.close()
  }
  return 0
}

async function keepRates(name: SetName, rates: Readonly<Record<string, number>>): Promise<void> {
  const kept = await readResults()
  const others = kept.calibration?.stepsPerSecond ?? {}
  const calibration = {
    machine: `${cpus().length} x ${cpus()[0].model}`,
    date: new Date().toISOString().slice(0, 10),
    stepsPerSecond: { ...others, [name]: { ...others[name], ...rates } },
  }
  await keepResults({ ...kept, calibration })
}

async function runAll(
  work: string,
  name: SetName,
  {
    names,
    budget,
    seeds,
    minutes,
  }: {
    readonly names: string
    readonly budget: number
    readonly seeds: readonly number[]
    readonly minutes: number
  },
): Promise<number> {
  const set = await openSet(work, name)
  const judge = openJudge(set)
  const end = performance.now() + 60_000 * minutes
  for (const seed of seeds) {
    for (const row of rowsNamed(names)) {
      const kept = await readResults()
      const task = { row: row.name, set: name, minutes: budget, seed }
      if (kept.results.some((result) => isSame(result, task))) continue
      const minutesLeft = (end - performance.now()) / 60_000
      if (minutesLeft <= 0) return stopped()
      const steps = stepsOf(kept, name, trainingOf(row).name, budget)
      console.log(`\n== ${row.name}, ${name}, ${budget} minutes, seed ${seed}: ${steps} steps`)
      const result = await runOne({ ...task, row, set, steps }, { work, judge, minutesLeft })
      if (result === null) return stopped()
      const { results, ...others } = await readResults()
      await keepResults({ ...others, results: [...results, result] })
      console.log(`KID ${result.kid.value.toPrecision(3)}, class found ${(100 * result.classes.share).toFixed(1)} %`)
    }
  }
  return 0
}

function stepsOf({ calibration }: Results, set: SetName, row: string, budget: number): number {
  const rate = calibration?.stepsPerSecond[set]?.[row]
  if (rate === undefined) throw new Error(`${row} is not calibrated on ${set}; run: npm run speedrun -- calibrate …`)
  return Math.max(1, Math.round(60 * budget * rate))
}

function stopped(): number {
  console.log('\nspeedrun: the same command goes on')
  return 0
}
