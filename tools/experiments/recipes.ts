// Which settings learn small pictures fastest: candidates for the default of `dit train`, at about the same multiply-adds, on
// emoji, heroes and Fashion-MNIST (`npm run data-set`).
//
//   npm run experiment -- recipes --emoji <folder> --heroes <folder> --fashion <folder> --out <folder> [--only <name>] [--minutes 45]
//
// Runs on one thread. Stops before a run that would begin after `--minutes`; called again it goes on. Writes `<out>/recipes.json`,
// the last measurement of each run. Look at the samples, too: `dit sample <out>/<set>-<name> --count 5 --classes all --steps 20`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Measured, predictionsTable } from './predictions-table.js'
import { measured, trainRun } from './train-runs.js'

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== 'recipes'),
  options: {
    emoji: { type: 'string' },
    heroes: { type: 'string' },
    fashion: { type: 'string' },
    out: { type: 'string' },
    only: { type: 'string', multiple: true },
    minutes: { type: 'string', default: '45' },
  },
})

const X0 = '--process gaussian --schedule squaredcos_cap_v2 --variance fixedSmall --predict x0'
const JIT = '--process flow --predict x0 --weighting velocity --times logitNormal'
const TOKENS_64 = '--patch 4 --hidden 128 --depth 4 --heads 4 --steps 1000'
/** The patch depends on the side. */
const TOKENS_16 = '--hidden 192 --depth 5 --heads 4 --steps 1500'
const CANDIDATES: Readonly<Record<string, string>> = {
  '64 tokens': `${X0} ${TOKENS_64} --lr 1e-3`,
  '64 tokens, min-SNR': `${X0} --loss-weight min-snr:5 ${TOKENS_64} --lr 1e-3`,
  '16 tokens': `${X0} ${TOKENS_16} --lr 1e-3`,
  '16 tokens, lr 2e-3': `${X0} ${TOKENS_16} --lr 2e-3`,
  '16 tokens, JiT': `${JIT} ${TOKENS_16} --lr 1e-3`,
}
const SETS = {
  emoji: { folder: values.emoji, size: 32 },
  heroes: { folder: values.heroes, size: 32 },
  fashion: { folder: values.fashion, size: 28 },
} as const
const RECIPE = '--batch 32 --warmup 100 --decay cosine --final-lr 0.05 --beta2 0.99 --ema 0.998 --ema-warmup --no-flip'
const MEASURES = '--val-share 0.1 --val-every 250 --checkpoint-every 250 --keep-last 1 --sample-every none'

if (values.out === undefined) throw new Error('recipes: --out is needed')
if (Object.values(SETS).every(({ folder }) => folder === undefined)) {
  throw new Error('recipes: --emoji, --heroes or --fashion is needed, the folder of a set')
}
const end = Date.now() + 60_000 * Number(values.minutes)
const all: Measured[] = []
for (const [name, flags] of Object.entries(CANDIDATES)) {
  if (values.only !== undefined && !values.only.includes(name)) continue
  for (const [set, { folder: data, size }] of Object.entries(SETS)) {
    if (data === undefined) continue
    const folder = join(values.out, `${set}-${name.replaceAll(/[^\w.-]+/g, '-')}`)
    const patch = flags.includes('--patch') ? '' : ` --patch ${size / 4}`
    const steps = Number(/--steps (\d+)/.exec(flags)![1])
    const isDone = measured(folder).at(-1)?.step === steps
    const given = `--size ${size}${patch} ${flags} ${RECIPE} ${MEASURES}`
    if (!isDone && Date.now() < end) trainRun(folder, ['--data', data, ...given.split(' ')], 0)
    all.push(
      ...measured(folder)
        .slice(-1)
        .map((line) => ({ set, process: name, seed: 0, ...line })),
    )
  }
}
writeFileSync(join(values.out, 'recipes.json'), `${JSON.stringify(all, null, 1)}\n`)
console.log(predictionsTable(all))
