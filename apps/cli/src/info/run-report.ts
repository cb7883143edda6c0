import { checkpointPath, findDamage, listCheckpoints, type StepRecord } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { engineText } from '../engines/open-engine.js'
import { readLog } from '../run/read-log.js'
import type { RunConfig } from '../run/run-config.js'
import { formatCount, formatNumber, formatTable } from '../terminal/format.js'

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
  }
}

export function runLines(folder: string, config: RunConfig, report: RunReport): string[] {
  const { data, recipe, engine, seed } = config
  const pictures = data.kind === 'shapes' ? 'generated shapes' : `pictures from ${data.folder}`
  const { diffusion } = recipe
  const lines = formatTable([
    ['run', `${folder}: ${formatCount(report.done)} of ${formatCount(report.steps)} steps`],
    [
      'data',
      `${formatCount(data.length)} ${pictures}, ${data.size}x${data.size}; ${config.classes.length} classes: ${classText(config.classes)}`,
    ],
    [
      'recipe',
      `${recipe.name}: batch ${recipe.batchSize}, learning rate ${formatNumber(recipe.learningRate)} (${recipe.decay}), EMA ${recipe.emaDecay}`,
    ],
    [
      '',
      `predicts ${diffusion.meanType ?? 'epsilon'}, ${diffusion.schedule ?? 'given'} schedule of ${diffusion.numTimesteps ?? 1000} timesteps`,
    ],
    ['engine', `${engineText(engine)}; seed ${seed}`],
    ['loss', lossText(report)],
  ])
  if (report.checkpoints.length === 0) return [...lines, 'checkpoints  none yet']
  const rows = report.checkpoints.map(({ path, damage }) => [
    `  ${path}`,
    damage === null ? 'whole' : `damaged: ${damage}`,
  ])
  return [...lines, 'checkpoints', ...formatTable(rows)]
}

function lossText({ last, meanLoss }: RunReport): string {
  if (last === null || meanLoss === null) return 'no step was logged yet'
  const count = Math.min(MEAN_OVER, last.step)
  return `${formatNumber(last.loss)} at step ${formatCount(last.step)}; mean of the last ${count} steps ${formatNumber(meanLoss)}`
}

function classText(classes: readonly string[]): string {
  return classes.length > 10 ? `${classes.slice(0, 10).join(', ')}, ...` : classes.join(', ')
}
