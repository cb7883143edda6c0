// What a small network should predict, at equal compute: Gaussian x0, Gaussian noise, flow velocity and flow x0, on heroes and
// Fashion-MNIST (`npm run data-set`), two seeds each: 16 runs of the same network, batch and number of steps.
//
//   npm run experiment -- predictions --heroes <folder> --fashion <folder> --out <folder> [--seed 0] [--minutes 45]
//
// Runs on one thread each, so two seeds may run beside each other. Stops before a run that would begin after `--minutes`; called
// again it leaves out what is done and resumes what is not. Writes `<out>/predictions.json` with every measurement.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Measured, predictionsTable } from './predictions-table.js'
import { measured, trainRun } from './train-runs.js'

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== 'predictions'),
  options: {
    heroes: { type: 'string' },
    fashion: { type: 'string' },
    out: { type: 'string' },
    seed: { type: 'string', multiple: true, default: ['0', '1'] },
    minutes: { type: 'string', default: '45' },
  },
})

const GAUSSIAN = '--process gaussian --schedule squaredcos_cap_v2 --variance fixedSmall'
const PROCESSES = {
  'gaussian-x0': `${GAUSSIAN} --predict x0`,
  'gaussian-noise': `${GAUSSIAN} --predict epsilon`,
  'flow-velocity': '--process flow --predict velocity',
  'flow-x0': '--process flow --predict x0',
} as const
const SETS = {
  heroes: { folder: values.heroes, flags: '--size 32', steps: 2000 },
  fashion: { folder: values.fashion, flags: '--size 28', steps: 1500 },
} as const
const NETWORK = '--patch 4 --hidden 128 --depth 4 --heads 4 --class-dropout 0.1'
const RECIPE =
  '--batch 32 --lr 0.001 --warmup 200 --decay cosine --final-lr 0.05 --beta2 0.99 --ema 0.998 --ema-warmup --no-flip'
const MEASURES = '--val-share 0.1 --val-every 250 --checkpoint-every 250 --keep-last 1 --sample-every none'

if (values.out === undefined) throw new Error('predictions: --out is needed')
if (values.heroes === undefined && values.fashion === undefined) {
  throw new Error('predictions: --heroes or --fashion is needed, the folder of a set')
}
const end = Date.now() + 60_000 * Number(values.minutes)
const all: Measured[] = []
for (const seed of values.seed.map(Number)) {
  for (const [set, { folder: data, flags, steps }] of Object.entries(SETS)) {
    if (data === undefined) continue
    for (const [name, predicts] of Object.entries(PROCESSES)) {
      const folder = join(values.out, `${set}-${name}-${seed}`)
      const isDone = measured(folder).at(-1)?.step === steps
      if (!isDone && Date.now() < end) {
        const given = `${flags} ${NETWORK} ${RECIPE} ${MEASURES} ${predicts} --steps ${steps}`
        trainRun(folder, ['--data', data, ...given.split(' ')], seed)
      }
      all.push(...measured(folder).map((line) => ({ set, process: name, seed, ...line })))
    }
  }
}
writeFileSync(join(values.out, 'predictions.json'), `${JSON.stringify(all, null, 1)}\n`)
console.log(predictionsTable(all))
