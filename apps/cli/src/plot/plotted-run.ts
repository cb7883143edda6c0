import { countedNetwork } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import { listCheckpoints, type StepRecord } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { denoisingOrNull } from '../run/objective-config.js'
import { readLog } from '../run/read-log.js'
import type { RunConfig } from '../run/run-config.js'
import { readRunConfig } from '../run/run-folder.js'
import { UsageError } from '../terminal/errors.js'

/** A run that is drawn: what it is, and its log, which has a step at least. */
export interface PlottedRun {
  readonly folder: string
  readonly config: RunConfig
  readonly records: readonly StepRecord[]
}

/**
 * Reads a run to draw.
 *
 * @throws UsageError where the folder is no run, or has no losses; Failure where its log is damaged
 */
export async function readPlottedRun(folder: string): Promise<PlottedRun> {
  const config = await readRunConfig(folder)
  const records = await readLog(folder)
  if (records !== null && records.length > 0) return { folder, config, records }
  const what = records === null ? 'has no log.jsonl' : 'has an empty log.jsonl'
  const [last] = await listCheckpoints(folderRunStore(folder))
  if (last !== undefined) {
    throw new UsageError(
      `${folder} ${what}, but was trained to step ${last}: its log was lost, so there are no losses to draw`,
    )
  }
  throw new UsageError(`${folder} ${what}: no step was trained yet. Continue it with \`dit train --resume ${folder}\``)
}

/** What the x axis may count. */
export const X_KINDS = ['steps', 'examples', 'multiply-adds'] as const

export type XKind = (typeof X_KINDS)[number]

/** Label of the x axis. */
export const X_LABELS: Readonly<Record<XKind, string>> = {
  steps: 'optimizer steps',
  examples: 'training examples',
  'multiply-adds': 'multiply-adds of training (3 forward passes for an example)',
}

/**
 * What a step of a run is on the x axis: itself, its examples, or their multiply-adds.
 *
 * @throws UsageError for multiply-adds of a module, whose network is not known
 */
export function unitsPerStep({ config, folder }: PlottedRun, kind: XKind): number {
  const { batchSize } = config.recipe
  if (kind === 'steps') return 1
  if (kind === 'examples') return batchSize
  const denoising = denoisingOrNull(config)
  if (denoising !== null) return batchSize * countMultiplyAdds(countedNetwork(denoising.model)).trainingMultiplyAdds
  throw new UsageError(`--x multiply-adds: ${folder} trains the network of a module, whose multiply-adds are not known`)
}

/** What the loss of a run measures, in words; losses with the same words may be compared. */
export function lossKind({ config: { objective } }: Pick<PlottedRun, 'config'>): string {
  if (objective.kind !== 'denoising') return `the module ${(objective as { readonly module: string }).module}`
  const { kind, ...settings } = objective.process
  const values = Object.entries({ ...settings, timestepSampler: objective.timestepSampler })
    .filter(([, value]) => value !== null && value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
  return [kind, ...values].join(', ')
}
