import { type TensorFile, type TorchFile, torchTensors, type TorchValue } from '@dit/checkpoint'
import { DIT_NAMES, ditConfig, type DiTName } from '../named-configs.js'
import type { ConfigHints } from './infer-config.js'

/** Which weights of a training state: the moving average or the trained ones. */
export type WhichWeights = 'ema' | 'model'

/** A state dict of a `.pt` file. */
export interface ChosenStateDict {
  readonly file: TensorFile
  /** Null for a file that is nothing but a state dict, and does not say which. */
  readonly which: WhichWeights | null
  /** What the training script's arguments tell. */
  readonly hints: ConfigHints
  /** Whether those arguments are SiT's: its names are those of a DiT, but it predicts a velocity along a path. */
  readonly isFlow: boolean
}

/**
 * The state dict of a `.pt` file: that under `ema` or `model`, as the training scripts of DiT, fast-DiT and SiT save them
 * beside `opt` and `args`; where it has neither, that under `state_dict`, or the whole file.
 *
 * @param which by default the moving average where there is one
 * @throws RangeError when the weights asked for are not there
 */
export function chooseStateDict(file: TorchFile, which?: WhichWeights): ChosenStateDict {
  const { value } = file
  const dicts = (['ema', 'model'] as const).filter((name) => at(value, name) instanceof Map)
  if (dicts.length === 0) {
    if (which !== undefined) {
      throw new RangeError(
        `chooseStateDict: the file must have ${which} weights (it has one set, and does not say which)`,
      )
    }
    const dict = at(value, 'state_dict')
    return { file: torchTensors(file, dict instanceof Map ? dict : value), which: null, hints: {}, isFlow: false }
  }
  const chosen = which ?? dicts[0]
  if (!dicts.includes(chosen))
    throw new RangeError(`chooseStateDict: the file must have ${chosen} weights (it has ${dicts.join()})`)
  const tensors = torchTensors(file, at(value, chosen))
  const args = at(value, 'args')
  const isFlow = typeof at(args, 'path_type') === 'string'
  return { file: tensors, which: chosen, hints: hintsOf(args, tensors), isFlow }
}

/** The arguments count only where they fit the tensors: a script may have been called with others. */
function hintsOf(args: TorchValue, { entries }: TensorFile): ConfigHints {
  const name = at(args, 'model')
  const numClasses = at(args, 'num_classes')
  const rows = entries.get('y_embedder.embedding_table.weight')?.shape[0] ?? 0
  const hasClasses = typeof numClasses === 'number' && (rows === numClasses || rows === numClasses + 1)
  const named = DIT_NAMES.includes(name as DiTName) ? ditConfig(name as DiTName) : undefined
  const isNamed = named !== undefined && entries.get('x_embedder.proj.bias')?.shape[0] === named.hiddenSize
  return { ...(isNamed ? { numHeads: named.numHeads } : {}), ...(hasClasses ? { numClasses } : {}) }
}

function at(value: TorchValue, key: string): TorchValue {
  return value instanceof Map ? ((value as ReadonlyMap<unknown, TorchValue>).get(key) ?? null) : null
}
