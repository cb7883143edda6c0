import type { TensorFile } from '@dit/checkpoint'
import { type Description, descriptionFromMetadata, descriptionMetadata } from '../layouts/description.js'
import { adapterNames, adaptedName, isAdapterName } from './low-rank.js'

/** What a file of adapters says beside its tensors. */
export interface AdapterDescription {
  readonly rank: number
  readonly alpha: number
  /** `weightsDigest` of the weights that were adapted, without those that the file brings along; null where nobody knows. */
  readonly base: string | null
  /** The model with the adapters applied; null where the file does not say. */
  readonly model: Description | null
}

/** Adapters that were saved by themselves. */
export interface Adapter extends AdapterDescription {
  /** Matrices A and B, and tensors that take the place of those of the base, under the official names. */
  readonly weights: TensorFile
}

/** Under what name a file says what its adapters are. */
const KEY = 'dit.lora'

/** What PEFT puts before every name. */
const PEFT_PREFIX = 'base_model.model.'

/** A description as strings, for the metadata of a safetensors file. */
export function adapterMetadata({ rank, alpha, base, model }: AdapterDescription): Record<string, string> {
  const of = model === null ? { format: 'pt' } : descriptionMetadata(model)
  return { ...of, [KEY]: JSON.stringify({ rank, alpha, base }) }
}

/** Whether a file holds adapters, with whatever else. */
export function isAdapterFile({ entries }: Pick<TensorFile, 'entries'>): boolean {
  return [...entries.keys()].some(isAdapterName)
}

/**
 * Reads what a file of adapters is; its tensors are read when they are needed.
 *
 * @throws RangeError where it holds none, does not say its rank and alpha, or has a matrix of another rank
 */
export function readAdapter(file: TensorFile): Adapter {
  const weights = withoutPeftPrefix(file)
  const names = [...weights.entries.keys()].filter(isAdapterName)
  if (names.length === 0) {
    throw new RangeError('readAdapter: there must be matrices such as blocks.0.attn.qkv.lora_A.weight (it has none)')
  }
  const { rank, alpha, base } = describedIn(file.metadata)
  for (const name of names) {
    const [a, b] = adapterNames(adaptedName(name))
    const { shape } = weights.entries.get(name)!
    const own = name === a ? shape[0] : shape[1]
    const partner = name === a ? b : a
    if (!weights.entries.has(partner)) throw new RangeError(`readAdapter: it has ${name} without ${partner}`)
    if (own !== rank) throw new RangeError(`readAdapter: ${name} must be of rank ${rank} (it is of rank ${own})`)
  }
  return { weights, rank, alpha, base, model: descriptionFromMetadata(file.metadata ?? {}) }
}

function describedIn(metadata: TensorFile['metadata'] = {}): Omit<AdapterDescription, 'model'> {
  const text = Object.hasOwn(metadata, KEY) ? metadata[KEY] : undefined
  let value: unknown = null
  try {
    value = text === undefined ? null : JSON.parse(text)
  } catch {
    // What is no JSON says nothing.
  }
  const { rank, alpha, base = null } = (value ?? {}) as Partial<AdapterDescription>
  const isRight =
    Number.isSafeInteger(rank) && rank! > 0 && typeof alpha === 'number' && alpha > 0 && Number.isFinite(alpha)
  if (isRight && (base === null || /^[0-9a-f]{64}$/.test(base))) return { rank: rank!, alpha, base }
  throw new RangeError(
    `readAdapter: the metadata ${KEY} must say rank and alpha, as {"rank": 8, "alpha": 8} (got ${text === undefined ? 'nothing' : text.slice(0, 60)})`,
  )
}

function withoutPeftPrefix(file: TensorFile): TensorFile {
  const names = [...file.entries.keys()]
  if (!names.every((name) => name.startsWith(PEFT_PREFIX))) return file
  return {
    entries: new Map([...file.entries].map(([name, entry]) => [name.slice(PEFT_PREFIX.length), entry])),
    tensor: (name) => file.tensor(PEFT_PREFIX + name),
    float32: (name) => file.float32(PEFT_PREFIX + name),
  }
}
