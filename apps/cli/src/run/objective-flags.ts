import { flagOf } from '../settings/flag-of.js'
import type { TrainFlags } from '../settings/train-options.js'
import { UsageError } from '../terminal/errors.js'

export const NO_GRIDS =
  '--sample-every is for the DiTs of dit; the networks of --objective are sampled by your own code'

/** Flags that describe what `--objective` brings itself. */
const OF_THE_MODEL: readonly (keyof TrainFlags)[] = [
  'model',
  'hidden',
  'depth',
  'heads',
  'patch',
  'mlpRatio',
  'classDropout',
  'schedule',
  'timesteps',
  'timestepSampler',
  'predict',
  'variance',
  'loss',
  'lossWeight',
  'betaStart',
  'betaEnd',
  'betas',
  'process',
  'path',
  'weighting',
  'times',
  'timeShift',
]

/** Flags that describe pictures. */
const OF_THE_DATA: readonly (keyof TrainFlags)[] = [
  'data',
  'latents',
  'size',
  'flip',
  'skipBad',
  'valShare',
  'valEvery',
]

/**
 * Checks that flags do not describe what a module decides.
 *
 * @param hasData whether the module brings data of its own
 * @throws UsageError that names the flag
 */
export function checkModuleFlags(flags: TrainFlags, hasData: boolean): void {
  const model = OF_THE_MODEL.find((name) => flags[name] !== undefined)
  if (model !== undefined) {
    throw new UsageError(
      `${flagOf(model)} describes a DiT of dit, and --objective brings a network of its own; leave one of them out`,
    )
  }
  if ((flags.sampleEvery ?? null) !== null) throw new UsageError(NO_GRIDS)
  const data = hasData ? OF_THE_DATA.find((name) => flags[name] !== undefined) : undefined
  if (data !== undefined) {
    throw new UsageError(`${flagOf(data)} is for pictures, and the module of --objective exports data of its own`)
  }
}
