import { type TensorFile, type TorchFile, torchTensors, type TorchValue } from '@dit/checkpoint'
import { ditConfig, type DiTName } from '../named-configs.js'
import type { ConfigHints } from './infer-config.js'
import type { SavedArguments } from './program.js'

/** Which weights of a training state: the moving average or the trained ones. */
export type WhichWeights = 'ema' | 'model'

/** A state dict of a `.pt` file. */
export interface ChosenStateDict {
  readonly file: TensorFile
  /** Null for a file that is nothing but a state dict, and does not say which. */
  readonly which: WhichWeights | null
  /** What the training script's arguments tell. */
  readonly hints: ConfigHints
  /** Plain values of those arguments, or of LightningDiT's configuration; empty where there are none. */
  readonly saved: SavedArguments
}

/** Where training scripts keep each: most under `ema`, JiT under `model_ema1`, by which it samples. */
const PLACES: readonly (readonly [which: WhichWeights, key: string])[] = [
  ['ema', 'ema'],
  ['ema', 'model_ema1'],
  ['model', 'model'],
]

/**
 * The state dict of a `.pt` file: that under `ema` or `model`, as the training scripts of DiT, fast-DiT, SiT, REPA and LightningDiT save
 * them beside `opt` and `args` (or `config`), or under JiT's `model_ema1`; where it has none, that under `state_dict`, or the whole file.
 *
 * @param which by default the moving average where there is one
 * @throws RangeError when the weights asked for are not there
 */
export function chooseStateDict(file: TorchFile, which?: WhichWeights): ChosenStateDict {
  const { value } = file
  const dicts = PLACES.filter(([, key]) => at(value, key) instanceof Map)
  if (dicts.length === 0) {
    if (which !== undefined) {
      throw new RangeError(
        `chooseStateDict: the file must have ${which} weights (it has one set, and does not say which)`,
      )
    }
    const dict = at(value, 'state_dict')
    const tensors = torchTensors(file, dict instanceof Map ? dict : value)
    const saved: SavedArguments = dict instanceof Map ? savedIn(value) : new Map()
    return { file: tensors, which: null, hints: hintsOf(saved, tensors), saved }
  }
  const chosen = dicts.find(([found]) => found === (which ?? dicts[0][0]))
  if (chosen === undefined) {
    const found = [...new Set(dicts.map(([name]) => name))].join()
    throw new RangeError(`chooseStateDict: the file must have ${which} weights (it has ${found})`)
  }
  const tensors = torchTensors(file, at(value, chosen[1]))
  const saved = savedIn(value)
  return { file: tensors, which: chosen[0], hints: hintsOf(saved, tensors), saved }
}

/** The plain values of `args`, and those of `config` with dots between their names. */
function savedIn(value: TorchValue): SavedArguments {
  const saved = new Map<string, string | number | boolean>()
  const collect = (dict: TorchValue, prefix: string, depth: number) => {
    if (!(dict instanceof Map) || depth > 3) return
    for (const [key, item] of dict as ReadonlyMap<unknown, TorchValue>) {
      const name = `${prefix}${String(key)}`
      if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') saved.set(name, item)
      else collect(item, `${name}.`, depth + 1)
    }
  }
  collect(at(value, 'config'), '', 1)
  collect(at(value, 'args'), '', 1)
  return saved
}

/** Names of models: DiT-XL/2, SiT-B/4, LightningDiT-XL/1. Those of one size have as many heads. */
const MODEL_NAME = /^(?:DiT|SiT|LightningDiT)-(XL|L|B|S)\/\d+$/

/** The arguments count only where they fit the tensors: a script may have been called with others. */
function hintsOf(saved: SavedArguments, { entries }: TensorFile): ConfigHints {
  const size = MODEL_NAME.exec(String(saved.get('model') ?? saved.get('model.model_type')))?.[1]
  const numClasses = saved.get('num_classes') ?? saved.get('data.num_classes')
  const shapeOf = (name: string) =>
    (entries.get(name) ?? entries.get(`module.${name}`) ?? entries.get(`net.${name}`))?.shape ?? []
  const [rows = 0] = shapeOf('y_embedder.embedding_table.weight')
  const hasClasses = typeof numClasses === 'number' && (rows === numClasses || rows === numClasses + 1)
  const named = size === undefined ? undefined : ditConfig(`DiT-${size}/2` as DiTName)
  const isNamed = named !== undefined && shapeOf('x_embedder.proj.bias')[0] === named.hiddenSize
  return { ...(isNamed ? { numHeads: named.numHeads } : {}), ...(hasClasses ? { numClasses } : {}) }
}

function at(value: TorchValue, key: string): TorchValue {
  return value instanceof Map ? ((value as ReadonlyMap<unknown, TorchValue>).get(key) ?? null) : null
}
