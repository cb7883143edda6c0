import type { TensorFile } from '@dit/checkpoint'
import { completeProcess, type ProcessSpec } from '@dit/diffusion'
import {
  checkConfig,
  checkParams,
  type Description,
  type DiTConfig,
  type ParameterSource,
  readLayout,
} from '@dit/model'
import type { Params } from '@dit/tensor'
import { classNamesOf } from '../classes/class-names.js'
import type { OpenModel } from '../open-model.js'
import { OpenError, OptionError } from '../option-error.js'
import { scalingOf } from '../pictures/latent-scaling.js'
import { isPixelModel } from '../pictures/pixel-model.js'
import { memoryTree } from './memory-tree.js'
import { type OpenOptions, openTree, understand } from './open-tree.js'
import { PRETRAINED, pretrainedName } from './pretrained-name.js'
import { isSource, paramsTensors } from './params-tensors.js'
import { type FetchOptions, locateAddress } from './url-tree.js'

/** A network and its parameters on an engine, such as a page has after training: the caller keeps and disposes of them. */
export interface ModelInMemory {
  readonly network: DiTConfig
  readonly params: Params | ParameterSource
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
  const pretrained = pretrainedName(source)
  if (pretrained !== null) {
    const name = /^[a-z]\w*$/.test(pretrained) ? pretrained : 'heroes'
    throw new OpenError(
      source as string,
      `in a page a model of ${PRETRAINED} is opened by its address: import { ${name} } from '${PRETRAINED}/${name}', and give ${name}.weights`,
    )
  }
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
  const opened = { ...readLayout(file), path: name, which: null, unread: [], close: async () => {} }
  return understand(name, opened, null, options)
}

async function openInMemory(source: ModelInMemory, options: OpenOptions): Promise<OpenModel> {
  const { network, params, name = 'the model' } = source
  const { autoencoder = null, classNames = source.classNames ?? null } = options
  for (const option of ['process', 'which', 'heads'] as const) {
    if (options[option] !== undefined) {
      throw new OptionError(option, `it is for weights; ${name} is in memory, with all that is known of it`)
    }
  }
  checkConfig(network)
  if (!isSource(params)) checkParams(network, params)
  const process = completeProcess(source.process)
  const classes = await classNamesOf(
    network.numClasses,
    classNames === null ? null : { from: 'model', names: classNames },
  )
  if (classes.names.length !== network.numClasses) {
    throw new OpenError(
      name,
      `it must have ${network.numClasses} class names, one for each class (got ${classes.names.length})`,
    )
  }
  const description: Description = {
    network,
    process: { ...process },
    program: null,
    classNames,
    pixelRange: source.pixelRange ?? (isPixelModel(network) ? [-1, 1] : null),
    latents: source.latents ?? (autoencoder === null ? null : scalingOf(autoencoder.config)),
  }
  return {
    name,
    title: name,
    description,
    process,
    isProcessKnown: true,
    ...classes,
    layout: null,
    which: null,
    step: null,
    guidanceChannels: 3,
    scheduler: null,
    autoencoder,
    location: null,
    notices: [],
    assumptions: [],
    weights: paramsTensors(name, params),
    isLent: true,
    load: async () => params,
    close: async () => {},
  }
}
