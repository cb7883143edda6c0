import {
  type BestCheckpoint,
  type CompleteProcess,
  checkpointPath,
  findDamage,
  listCheckpoints,
  readBest,
  type StepRecord,
} from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import type { LossWeight } from '@dit/schedules'
import { engineText } from '../engines/open-engine.js'
import { lossWeightText } from '../settings/loss-weight.js'
import { loggedEvaluation } from '../in-training/evaluation-text.js'
import { isGenerated } from '../run/generated-data.js'
import { fromRows } from '../run/describe-run.js'
import { placeOfData } from '../run/open-data.js'
import { readLog } from '../run/read-log.js'
import { denoisingOrNull, isFlow } from '../run/objective-config.js'
import type { RunConfig } from '../run/run-config.js'
import { formatCount, formatCounted, formatNumber, formatTable } from '../terminal/format.js'

export interface CheckpointReport {
  readonly step: number
  readonly path: string
  /** Null where it is whole. */
  readonly damage: string | null
}

/** How far a run has come. */
export interface RunReport {
  readonly steps: number
  /** Steps in the log. */
  readonly done: number
  readonly last: StepRecord | null
  /** Mean loss of the last hundred steps. */
  readonly meanLoss: number | null
  readonly checkpoints: readonly CheckpointReport[]
  /** Errors on held-out pictures, by step. */
  readonly measured: readonly { readonly step: number; readonly heldOut: number }[]
  /** Measures of samples, by step. */
  readonly evaluated: readonly { readonly step: number; readonly measures: Readonly<Record<string, number>> }[]
  /** The best checkpoint; null where none is kept. */
  readonly best: BestCheckpoint | null
}

const MEAN_OVER = 100

export async function reportRun(folder: string, { steps }: RunConfig): Promise<RunReport> {
  const store = folderRunStore(folder)
  const records = (await readLog(folder)) ?? []
  const checkpoints: CheckpointReport[] = []
  for (const step of await listCheckpoints(store)) {
    checkpoints.push({ step, path: checkpointPath(step), damage: await findDamage(store, step) })
  }
  const recent = records.slice(-MEAN_OVER).map(({ loss }) => loss)
  return {
    steps,
    done: records.at(-1)?.step ?? 0,
    last: records.at(-1) ?? null,
    meanLoss: recent.length === 0 ? null : recent.reduce((sum, loss) => sum + loss, 0) / recent.length,
    checkpoints,
    evaluated: records.flatMap((record) => {
      const results = loggedEvaluation(record)?.results ?? []
      const measures = Object.fromEntries(results.map(({ measure, value }) => [measure, value]))
      return results.length === 0 ? [] : [{ step: record.step, measures }]
    }),
    best: await readBest(store),
    measured: records.flatMap(({ step, measures }) =>
      Number.isFinite(measures?.heldOut) ? [{ step, heldOut: measures!.heldOut }] : [],
    ),
  }
}

export function runLines(folder: string, config: RunConfig, report: RunReport): string[] {
  const { data, recipe, engine, seed } = config
  const process = denoisingOrNull(config)?.process
  const heldOut = heldOutText(report)
  const lines = formatTable([
    ['run', `${folder}: ${formatCount(report.done)} of ${formatCounted(report.steps, 'step', 'steps')}`],
    ...('module' in config.objective
      ? [['objective', `${config.objective.module}: ${JSON.stringify(config.objective.spec)}`]]
      : []),
    ['data', dataText(data, config.classes)],
    ...fromRows(config),
    [
      'recipe',
      `${recipe.name}: batch ${recipe.batchSize}, learning rate ${formatNumber(recipe.learningRate)} (${recipe.decay}), EMA ${recipe.emaDecay}`,
    ],
    ...(process === undefined ? [] : [['', processText(process)]]),
    ['engine', `${engineText(engine)}; seed ${seed}`],
    ['loss', lossText(report)],
    ...(heldOut === null ? [] : [['held out', heldOut]]),
    ...evaluatedRows(report),
  ])
  if (report.checkpoints.length === 0) return [...lines, 'checkpoints  none yet']
  const { best } = report
  const rows = report.checkpoints.map(({ step, path, damage }) => {
    const note = step === best?.step ? `, the best by ${best.measure} (${formatNumber(best.value)})` : ''
    return [`  ${path}`, `${damage === null ? 'complete' : `damaged: ${damage}`}${note}`]
  })
  return [...lines, 'checkpoints', ...formatTable(rows)]
}

function processText(process: CompleteProcess): string {
  if (isFlow(process)) return `flow, ${process.interpolant} path, predicts ${process.prediction}`
  const { meanType, schedule, numTimesteps, betas, lossWeight } = process
  return `predicts ${meanType}, ${schedule ?? 'given'} schedule of ${numTimesteps ?? betas!.length} timesteps${weightText(lossWeight)}`
}

function weightText(weight: LossWeight = 'none'): string {
  return weight === 'none' ? '' : `, loss weight ${lossWeightText(weight)}`
}

function dataText(data: RunConfig['data'], classes: readonly string[]): string {
  if (data.kind === 'module') return 'of the module'
  const pictures = isGenerated(data) ? `generated ${data.kind}` : `pictures from ${placeOfData(data)}`
  return `${formatCount(data.length)} ${pictures}, ${data.size}x${data.size}; ${formatCounted(classes.length, 'class', 'classes')}: ${classText(classes)}`
}

/** The last and the smallest error on held-out pictures; null where none was measured. */
function heldOutText({ measured }: RunReport): string | null {
  const last = measured.at(-1)
  if (last === undefined) return null
  const best = measured.reduce((a, b) => (b.heldOut < a.heldOut ? b : a))
  return `error ${formatNumber(last.heldOut)} at step ${formatCount(last.step)}; smallest ${formatNumber(best.heldOut)} at step ${formatCount(best.step)}`
}

/** The newest measures of samples, and where the best checkpoint lies. */
function evaluatedRows({ evaluated, best }: RunReport): string[][] {
  const last = evaluated.at(-1)
  const values = Object.entries(last?.measures ?? {}).map(([measure, value]) => `${measure} ${formatNumber(value)}`)
  return [
    ...(last === undefined ? [] : [['samples', `${values.join(', ')} at step ${formatCount(last.step)}`]]),
    ...(best === null
      ? []
      : [
          [
            'best',
            `step ${formatCount(best.step)} by ${best.measure}, ${formatNumber(best.value)}; use it with --checkpoint best`,
          ],
        ]),
  ]
}

function lossText({ last, meanLoss }: RunReport): string {
  if (last === null || meanLoss === null) return 'no step logged yet'
  const count = Math.min(MEAN_OVER, last.step)
  return `${formatNumber(last.loss)} at step ${formatCount(last.step)}; mean of the last ${count} steps ${formatNumber(meanLoss)}`
}

function classText(classes: readonly string[]): string {
  return classes.length > 10 ? `${classes.slice(0, 10).join(', ')}, ...` : classes.join(', ')
}
