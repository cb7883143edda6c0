import type { TensorFile } from '@dit/checkpoint'
import type { CompleteProcess } from '@dit/diffusion'
import type {
  About,
  AdapterDescription,
  Description,
  DiTConfig,
  ModelWeights,
  ParameterSource,
  WhichWeights,
} from '@dit/model'
import type { Backend, Params } from '@dit/tensor'
import type { VaeConfig } from '@dit/vae'
import type { ClassNames } from './classes/class-names.js'
import type { SampledNetwork } from './network.js'
import type { Scheduler } from './open/scheduler.js'
import { OpenError } from './option-error.js'

/** An autoencoder that was found and whose weights are not read yet. */
export interface FoundAutoencoder {
  /** For messages. */
  readonly name: string
  readonly config: VaeConfig
  /** Opens its tensors; the caller closes them. */
  open(): Promise<TensorFile & { close?(): Promise<void> }>
}

/** All that is known of a model: what a file says of a DiT, and of a network of your own all but the network. */
export interface ModelDescription extends About {
  /** Null for a network of your own, which no file describes. */
  readonly network: DiTConfig | null
}

/** A model that was found and understood, before its weights are read. */
export interface OpenModel extends ClassNames {
  /** What messages call it: the path or address that was given. */
  readonly name: string
  /** What it is, in a line. */
  readonly title: string
  /** All that its files say of it. */
  readonly description: ModelDescription
  /** What is sampled. */
  readonly network: SampledNetwork
  /** The process that it was trained on, with every setting; null where nothing tells. */
  readonly process: CompleteProcess | null
  /** Whether the process was said, by the files or the caller, and not assumed. */
  readonly isProcessKnown: boolean
  /** Whose names its file has; null where it never was a file. */
  readonly layout: ModelWeights['layout'] | null
  /** Of a training state: which of its weights. */
  readonly which: WhichWeights | null
  /** Steps of training, for a checkpoint of a run. */
  readonly step: number | null
  /** Channels that guidance leads where nobody says: three, or all for weights of diffusers, as its pipeline has it. */
  readonly guidanceChannels: 3 | 'all'
  /** That of a diffusers folder. */
  readonly scheduler: Scheduler | null
  /** What turns latents into pictures. */
  readonly autoencoder: FoundAutoencoder | null
  /** Path of its weights on a disk; null for others. */
  readonly location: string | null
  /** What was passed over, such as a damaged checkpoint, in lines for the user. */
  readonly notices: readonly string[]
  /** What nothing in the file tells, and what is taken for it. */
  readonly assumptions: readonly string[]
  /** The weights under the official names, to be read one by one. */
  readonly weights: TensorFile
  /** Of a run that trained low-rank adapters: those alone, as a file holds them. Its `weights` are merged with them. */
  readonly adapter?: { readonly weights: TensorFile; readonly description: AdapterDescription }
  /** Whether its parameters are on an engine already, and belong to the caller. */
  readonly isLent: boolean
  /** Brings the weights to an engine; the caller disposes of them. */
  load(backend: Backend, half?: 'f16' | 'bf16'): Promise<Params | ParameterSource>
  /** Closes its files; harmless when repeated. */
  close(): Promise<void>
}

/** A model whose network is a DiT, so that files can describe it. */
export interface OpenDiT extends OpenModel {
  readonly description: Description
}

/**
 * A model as one of a DiT.
 *
 * @param what needs it, such as `a file of weights`
 * @throws OpenError for a network of your own
 */
export function requireDiT(model: OpenModel, what: string): OpenDiT {
  const { name, description } = model
  const { network } = description
  if (network !== null) return { ...model, description: { ...description, network } }
  throw new OpenError(name, `${what} works only for DiTs, but its network is your own`)
}
