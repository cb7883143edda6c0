import type { CompleteProcess } from '@dit/diffusion'
import type { DiTConfig } from '@dit/model'
import { OpenError, OptionError, type OpenModel, requireDiT } from '@dit/pipeline'
import { flagOf } from '../settings/flag-of.js'
import { FINE_TUNE_SETTINGS } from '../settings/fine-tune-settings.js'
import { type ModelFlags, openNamed } from '../settings/model-source.js'
import { PROCESS_SETTINGS, WEIGHTS_PROCESS_SETTINGS } from '../settings/process-settings.js'
import { firstGiven } from '../settings/setting.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'

/** What a run begins from: a network, its process, and weights that are not read yet. */
export interface StartingPoint {
  /** As it was given. */
  readonly source: string
  readonly config: DiTConfig
  readonly process: CompleteProcess
  readonly model: OpenModel
}

/**
 * Opens what `--from` names, as `dit sample` would. Null where flags do not begin from anything.
 *
 * @throws UsageError for flags that need `--from`, and where nothing says what the weights were trained as; OpenError as `openModel`
 */
export async function openStartingPoint(flags: TrainFlags): Promise<StartingPoint | null> {
  const { from: source } = flags
  if (source === undefined) {
    const stray = firstGiven(FINE_TUNE_SETTINGS, flags)
    if (stray === undefined) return null
    throw new UsageError(`${flagOf(stray)} works only with --from, the run or weights to begin with`)
  }
  if (flags.objective !== undefined) {
    throw new UsageError(
      '--from begins with the weights of a DiT, but --objective brings its own network; leave one out',
    )
  }
  const model = await openSource(source, flags)
  try {
    const { network } = requireDiT(model, '--from').description
    if (model.process !== null) return { source, config: network, process: model.process, model }
    throw new OpenError(
      source,
      'it does not say what it was trained as: give `process` gaussian or flow, and every other setting that was not the default',
    )
  } catch (error) {
    await model.close()
    throw error
  }
}

/** Opens the source by itself; with flags of the process and the heads only where it says nothing of them. */
async function openSource(source: string, flags: TrainFlags): Promise<OpenModel> {
  const { key, fromWeights, heads } = flags
  const which = fromWeights === undefined ? {} : { which: fromWeights }
  const own = key === undefined ? {} : { key }
  let said: ModelFlags = own
  const open = async (more: ModelFlags) => openNamed(source, more, which)
  const model = await open(own).catch(async (error: unknown) => {
    if (error instanceof OpenError && error.problem.includes('low-rank adapters')) {
      throw new UsageError(
        `--from ${source}: it holds low-rank adapters only; merge them with the weights that they adapt: dit convert <weights> merged.safetensors --lora ${source}`,
        { cause: error },
      )
    }
    if (!(error instanceof OptionError && error.option === 'heads' && heads !== undefined)) throw error
    said = { ...own, heads }
    return open(said)
  })
  if (model.isProcessKnown || firstGiven(PROCESS_SETTINGS, flags) === undefined) return model
  await model.close()
  const process = Object.keys(WEIGHTS_PROCESS_SETTINGS).map((name) => [name, flags[name as keyof TrainFlags]] as const)
  return open({ ...said, ...Object.fromEntries(process.filter(([, value]) => value !== undefined)) })
}
