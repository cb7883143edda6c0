import { type TensorFile, type TorchFile, TorchTensor, torchTensors, type TorchValue } from '@dit/checkpoint'
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

/** Under what names training scripts keep each; of several the first counts. JiT samples by its first average. */
const PLACES: Readonly<Record<WhichWeights, readonly string[]>> = {
  ema: ['ema', 'model_ema1', 'ema_state_dict', 'ema_model', 'model_ema', 'params_ema', 'ema_params', 'ema_weights'],
  model: ['model', 'model_state_dict'],
}

/** Names of weights that do not say which they are. */
const UNTOLD = ['state_dict', 'net', 'network', 'module', 'params', 'weights', 'denoiser', 'transformer', 'dit']

/** Keys that an error lists. */
const LISTED = 12

/** Options of `chooseStateDict`. */
export interface ChooseOptions {
  /** By default the moving average where there is one. */
  readonly which?: WhichWeights
  /** The dict by its name in the file, with dots between names, in place of any that would be looked for. */
  readonly key?: string
}

/**
 * The state dict of a `.pt` file: under `ema`, `model` and the other names by which training scripts save the average and the trained weights
 * (those of DiT, fast-DiT, SiT, REPA, LightningDiT and JiT beside `opt` and `args` or `config`), under `state_dict`, `net`, `module` or
 * `params`, or the whole file. A dict without tensors is none: some keep numbers under `ema`.
 *
 * @throws RangeError when the weights asked for are not there, or none are found: then with the keys of the file
 */
export function chooseStateDict(file: TorchFile, { which, key }: ChooseOptions = {}): ChosenStateDict {
  const { value } = file
  const saved = savedIn(value)
  const chosen = (dict: TorchValue, which: WhichWeights | null): ChosenStateDict => {
    const tensors = torchTensors(file, dict)
    return { file: tensors, which, hints: hintsOf(saved, tensors), saved }
  }
  if (key !== undefined) return chosen(dictAt(file, key), null)
  const dicts = (['ema', 'model'] as const).flatMap((found) => {
    const dict = firstDict(value, PLACES[found])
    return dict === null ? [] : [{ found, dict }]
  })
  const wanted = dicts.find(({ found }) => found === (which ?? dicts[0].found))
  if (wanted !== undefined) return chosen(wanted.dict, wanted.found)
  if (which !== undefined) {
    const has = dicts.length === 0 ? 'one set, and does not say which' : dicts.map(({ found }) => found).join()
    throw new RangeError(`chooseStateDict: the file must have ${which} weights (it has ${has})`)
  }
  const dict = holdsTensors(value) ? value : firstDict(value, UNTOLD)
  if (dict === null) throw new RangeError(`chooseStateDict: no dict of tensors is found: ${keysText(value)}`)
  // Arguments beside a bare dict would be its tensors.
  return dict === value
    ? { ...chosen(dict, null), saved: new Map(), hints: hintsOf(new Map(), torchTensors(file, dict)) }
    : chosen(dict, null)
}

/** The dict that a key names, with dots between names. */
function dictAt(file: TorchFile, key: string): TorchValue {
  let value = file.value
  for (const name of key.split('.')) value = at(value, name)
  if (holdsTensors(value)) return value
  throw new RangeError(`chooseStateDict: ${JSON.stringify(key)} must name a dict of tensors; ${keysText(file.value)}`)
}

/** The first of these keys under which tensors lie, at once or in a `state_dict` of its own. */
function firstDict(value: TorchValue, keys: readonly string[]): TorchValue {
  for (const key of keys) {
    const found = at(value, key)
    if (holdsTensors(found)) return found
    const inner = ['state_dict', 'module', 'model'].map((name) => at(found, name)).find(holdsTensors)
    if (inner !== undefined) return inner
  }
  return null
}

function holdsTensors(value: TorchValue): boolean {
  return (
    value instanceof Map &&
    [...(value as ReadonlyMap<unknown, TorchValue>).values()].some((item) => item instanceof TorchTensor)
  )
}

/** What a file holds, for who must name a part of it. */
function keysText(value: TorchValue): string {
  if (!(value instanceof Map)) return 'the file holds no dict'
  const keys = [...(value as ReadonlyMap<unknown, TorchValue>)].map(([key, item]) => {
    const size =
      item instanceof Map ? ` (a dict of ${item.size})` : Array.isArray(item) ? ` (a list of ${item.length})` : ''
    return `${String(key).slice(0, 60)}${size}`
  })
  const more = keys.length > LISTED ? ` and ${keys.length - LISTED} more` : ''
  return keys.length === 0
    ? 'the file is an empty dict'
    : `its keys are ${keys.slice(0, LISTED).join(', ')}${more}; name the one with the weights by \`key\``
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
    ['', 'module.', 'net.', 'model.']
      .map((prefix) => entries.get(prefix + name)?.shape)
      .find((shape) => shape !== undefined) ?? []
  const [rows = 0] = shapeOf('y_embedder.embedding_table.weight')
  const hasClasses = typeof numClasses === 'number' && (rows === numClasses || rows === numClasses + 1)
  const named = size === undefined ? undefined : ditConfig(`DiT-${size}/2` as DiTName)
  const isNamed = named !== undefined && shapeOf('x_embedder.proj.bias')[0] === named.hiddenSize
  return { ...(isNamed ? { numHeads: named.numHeads } : {}), ...(hasClasses ? { numClasses } : {}) }
}

function at(value: TorchValue, key: string): TorchValue {
  return value instanceof Map ? ((value as ReadonlyMap<unknown, TorchValue>).get(key) ?? null) : null
}
