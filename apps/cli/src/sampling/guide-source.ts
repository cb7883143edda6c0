import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { completeProcess } from '@dit/train-ddp'
import { isFlow } from '../run/objective-config.js'
import { UsageError } from '../terminal/errors.js'
import { findSource, type SampleSource, type SourceFlags } from './sample-source.js'
import { imageShape } from './sample-classes.js'

/** Settings of a process that its network answers by. What only training uses may differ. */
const OF_A_FLOW = ['interpolant', 'betaMin', 'betaMax', 'networkTime', 'timestepScale', 'prediction']
const OF_A_GAUSSIAN = ['schedule', 'numTimesteps', 'betas', 'betaStart', 'betaEnd', 'respacing', 'meanType']

/**
 * The weaker model that `--guide` means: a run, one of its checkpoints, or weights.
 *
 * @throws UsageError where it is none, or does not fit the model that it is to guide
 */
export async function findGuide(guide: string, flags: SourceFlags, source: SampleSource): Promise<SampleSource> {
  const { raw, half, heads, sampler } = flags
  const isRun = await exists(join(guide, 'config.json'))
  const isCheckpoint = /^step-\d+$/.test(basename(guide))
  const found = await findSource(
    isCheckpoint
      ? { checkpoint: guide, raw }
      : isRun && !(await exists(join(guide, 'diffusion_pytorch_model.safetensors')))
        ? { run: guide, raw }
        : { weights: guide, raw, half, heads, sampler },
  )
  const difference = differenceOf(found, source)
  if (difference === null) return found
  await found.close()
  throw new UsageError(`--guide ${guide}: it must fit the model that it guides, but its ${difference}`)
}

function differenceOf(guide: SampleSource, source: SampleSource): string | null {
  const [own, other] = [guide, source].map(({ model }) => imageShape(model).join(' x '))
  if (own !== other) return `pictures are ${own}, not ${other}`
  const [classes, others] = [guide.model.numClasses, source.model.numClasses]
  if (classes !== others) return `classes are ${classes}, not ${others}`
  const [its, theirs] = [guide, source].map(({ process }) => completeProcess(process) as unknown as Settings)
  const names = ['kind', ...(isFlow(source.process) ? OF_A_FLOW : OF_A_GAUSSIAN)]
  const name = names.find((setting) => JSON.stringify(its[setting]) !== JSON.stringify(theirs[setting]))
  if (name === undefined) return null
  const told = (settings: Settings) => JSON.stringify(settings[name]) ?? 'nothing'
  return `process has ${name} ${told(its)}, not ${told(theirs)}`
}

type Settings = Readonly<Record<string, unknown>>

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
