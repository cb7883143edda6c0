import type { TensorFile } from '@dit/checkpoint'
import { completeProcess, type CompleteProcess } from '@dit/diffusion'
import {
  type Adapter,
  holdParams,
  loadParams,
  mergeAdapters,
  readAdapter,
  readLayout,
  tensorDigests,
  weightsDigest,
} from '@dit/model'
import { ditNetwork } from '../network.js'
import { type OpenModel, requireDiT } from '../open-model.js'
import { OpenError, OptionError } from '../option-error.js'

/** Options of `withAdapter`. */
export interface AdapterOptions {
  /** How strongly the adapters count: 1 is as trained (default), 0 not at all. */
  readonly scale?: number
  /** What messages call the file of the adapters. */
  readonly name?: string
}

/**
 * A model with low-rank adapters that were saved by themselves: its weights are merged with them as they are read. What the adapters say of
 * the model, such as other classes, holds.
 *
 * @param given stays open as long as the result is, which closes it
 * @param file  of adapters, as `dit convert --adapter` or `writeAdapter` writes it
 * @throws OpenError where it is none, or fits another network; OptionError for a scale that cannot be
 *
 * @example
 * const model = await withAdapter(await openModel(base), await openSafetensors(bytes), { scale: 0.8 })
 */
export async function withAdapter(
  given: OpenModel,
  file: TensorFile,
  { scale = 1, name = 'the adapter file' }: AdapterOptions = {},
): Promise<OpenModel> {
  if (!Number.isFinite(scale)) throw new OptionError('loraScale', 'it must be a finite number', scale)
  if (given.isLent) throw new OpenError(name, 'adapters are for weights in files; the model is in memory')
  const model = requireDiT(given, 'a file of adapters')
  const adapter = inFile(name, () => readAdapter(file))
  const network = adapter.model?.network ?? model.description.network
  const weights = inFile(name, () => {
    const merged = mergeAdapters(model.weights, adapter.weights, (scale * adapter.alpha) / adapter.rank)
    return readLayout(merged, { config: network })
  })
  const { numHeads } = model.description.network
  if (network.numHeads !== numHeads) {
    throw new OpenError(name, `it is for ${network.numHeads} attention heads, not the ${numHeads} of ${model.name}`)
  }
  const changed = await differs(model, adapter)
  const said = adapter.model ?? model.description
  const process = said.process === null ? model.process : completeProcess(said.process as unknown as CompleteProcess)
  const names = said.classNames
  // What comes out is whole weights, also where the model was a run of adapters.
  const { adapter: _own, ...whole } = model
  return {
    ...whole,
    title: `${model.title}, with ${name}${scale === 1 ? '' : ` at scale ${scale}`}`,
    description: { ...model.description, ...present(said), network },
    network: ditNetwork(name, network),
    process,
    isProcessKnown: model.isProcessKnown || said.process !== null,
    ...(names === null ? { from: model.from, names: model.names } : { from: 'model' as const, names }),
    notices: changed
      ? [...model.notices, `${name} was trained on other weights than these of ${model.name}: pictures may be worse`]
      : model.notices,
    weights,
    load: (backend, half) =>
      half === undefined ? loadParams(weights, { backend }) : holdParams(weights, { dtype: half, backend }),
  }
}

/** Whether adapters were trained on other weights than a model's; those that they bring along are not compared. */
async function differs({ weights }: OpenModel, { base, weights: adapters }: Adapter): Promise<boolean> {
  if (base === null) return false
  const kept = [...weights.entries.keys()].filter((name) => !adapters.entries.has(name))
  return (await weightsDigest(await tensorDigests(weights, kept))) !== base
}

/** What is known of a description. */
function present<T extends object>(description: T): Partial<T> {
  return Object.fromEntries(Object.entries(description).filter(([, value]) => value !== null)) as Partial<T>
}

function inFile<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause
    const problem = cause.message
      .replace(/^(?:readAdapter|mergeAdapters): /, '')
      .replace(/^weights: they must be those of/, 'it is for')
    throw new OpenError(name, problem, { cause })
  }
}
