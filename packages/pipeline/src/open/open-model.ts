import type { TensorFile } from '@dit/checkpoint'
import type { ProcessSpec } from '@dit/diffusion'
import { type Description, type DiTConfig, loadLayout, type ParameterSource } from '@dit/model'
import type { Params } from '@dit/tensor'
import type { Network } from '@dit/train-ddp'
import type { OpenModel } from '../open-model.js'
import { OpenError } from '../option-error.js'
import { openInMemory } from './in-memory.js'
import { memoryTree } from './memory-tree.js'
import { type OpenOptions, openTree, understand } from './open-tree.js'
import { PRETRAINED } from './pretrained-name.js'
import { type FetchOptions, locateAddress } from './url-tree.js'

/**
 * A network and its parameters on an engine, such as a page has after training: the caller keeps and disposes of them. Of an objective of
 * `denoising`, that is `{ network: objective.network, process: objective.spec.process, params }`.
 */
export interface ModelInMemory {
  /** The configuration of a DiT, or a network of your own. */
  readonly network: DiTConfig | Network
  readonly params: Params | ParameterSource
  /** Not one of your own, which the samplers do not know. */
  readonly process: ProcessSpec
  readonly classNames?: readonly string[]
  readonly pixelRange?: Description['pixelRange']
  readonly latents?: Description['latents']
  /** What messages call it. */
  readonly name?: string
}

/**
 * What pictures are made from: an address, `hf:owner/name[@revision]`, the bytes of a file of weights or a `File` that somebody chose,
 * opened tensors, or a network in memory.
 */
export type ModelSource = string | URL | Uint8Array | ArrayBuffer | Blob | TensorFile | ModelInMemory

/** Options of `openModel`. */
export interface OpenModelOptions extends OpenOptions {
  /** How addresses are fetched. */
  readonly fetch?: FetchOptions
}

/**
 * Finds and understands a model, before its weights are read: what it is, and all that is known of it.
 *
 * @throws OpenError that says what is missing and where it was looked for; OptionError for options that its files contradict; the errors of
 *   the readers for damaged or hostile files
 */
export async function openModel(
  source: ModelSource,
  { fetch = {}, ...options }: OpenModelOptions = {},
): Promise<OpenModel> {
  if (source === undefined || source === null)
    throw new TypeError('openModel: there must be a source to open (got none)')
  if (typeof source === 'string' && `${source}/`.startsWith(`${PRETRAINED}/`))
    throw new OpenError(source, `in a page import the model from ${PRETRAINED}, and give its \`weights\``)
  if (typeof source === 'string' || source instanceof URL) {
    const { tree, path } = locate(String(source), fetch)
    return openTree(String(source), tree, path, options)
  }
  if (source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob) {
    const name = source instanceof File ? source.name : 'the weights'
    return openTree(name, memoryTree(name, source), name, options)
  }
  return 'entries' in source ? openTensorsModel(source, options) : openInMemory(source, options)
}

function locate(source: string, fetch: FetchOptions): ReturnType<typeof locateAddress> {
  try {
    return locateAddress(source, fetch)
  } catch (cause) {
    if (cause instanceof TypeError) {
      throw new OpenError(source, 'it is no address; paths of files and folders are for @dit/pipeline/node', { cause })
    }
    if (cause instanceof URIError)
      throw new OpenError(source, 'it is no address: a % must be written as %25', { cause })
    if (cause instanceof RangeError) throw new OpenError(source, cause.message.replace(/^hubFileUrl: /, ''), { cause })
    throw cause
  }
}

async function openTensorsModel(file: TensorFile, options: OpenOptions): Promise<OpenModel> {
  const name = 'the tensors'
  const opened = { ...(await loadLayout(file)), path: name, which: null, unread: [], close: async () => {} }
  return understand(name, opened, null, options)
}
