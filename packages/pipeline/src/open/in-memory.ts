import { type CompleteProcess, completeProcess, type ProcessSpec } from '@dit/diffusion'
import { checkConfig, checkParams } from '@dit/model'
import { formatShape, sameShape, type Shape } from '@dit/tensor'
import type { Network } from '@dit/train-ddp'
import { type ClassNames, classNamesOf } from '../classes/class-names.js'
import { ditNetwork, isOwnNetwork, ownNetwork, type Prompted, type SampledNetwork } from '../network.js'
import type { FoundAutoencoder, OpenModel } from '../open-model.js'
import { OpenError, OptionError } from '../option-error.js'
import { scalingOf } from '../pictures/latent-scaling.js'
import { isPixelModel } from '../pictures/pixel-model.js'
import type { ModelInMemory } from './open-model.js'
import type { OpenOptions } from './open-tree.js'
import { isSource, paramsTensors } from './params-tensors.js'

/**
 * Understands a network in memory.
 *
 * @throws OpenError for parameters, classes or a process that do not fit it; OptionError for options that are for files
 */
export async function openInMemory(source: ModelInMemory, options: OpenOptions): Promise<OpenModel> {
  const { network, params, name = 'the model' } = source
  const { autoencoder = null, classNames = source.classNames ?? null } = options
  for (const option of ['process', 'which', 'heads'] as const) {
    if (options[option] !== undefined) {
      throw new OptionError(option, `it is for weights; ${name} is in memory, with all that is known of it`)
    }
  }
  const described = await describeNetwork({ ...source, name, classNames, prompted: options.prompted }, autoencoder)
  const weights = paramsTensors(name, params)
  if (!isOwnNetwork(network)) {
    if (!isSource(params)) checkParams(network, params)
  } else if (isSource(params)) {
    throw new OpenError(name, 'a network of your own reads parameters in float32 only')
  } else checkOwnParams(name, network, weights.entries)
  return {
    name,
    title: name,
    ...described,
    layout: null,
    which: null,
    step: null,
    location: null,
    notices: [],
    weights,
    isLent: true,
    load: async () => params,
    close: async () => {},
  }
}

/** What is known of a network that no file describes. */
type Described = Pick<OpenModel, 'description' | 'network' | 'process' | 'isProcessKnown' | keyof ClassNames> &
  Pick<OpenModel, 'guidanceChannels' | 'scheduler' | 'autoencoder' | 'assumptions'>

/** What is said of it, beside its parameters. */
interface Said extends Omit<ModelInMemory, 'params' | 'classNames'> {
  readonly name: string
  readonly classNames: readonly string[] | null
  readonly prompted?: Prompted | undefined
}

/**
 * A network with what is said of it.
 *
 * @throws OpenError for classes or a process that do not fit it
 */
export async function describeNetwork(
  { name, network: given, process: told, classNames, pixelRange, latents, prompted }: Said,
  autoencoder: FoundAutoencoder | null,
): Promise<Described> {
  const network = networkOf(name, given, classNames, prompted)
  const process = processOf(name, told)
  return {
    description: {
      network: isOwnNetwork(given) ? null : given,
      process: { ...process },
      program: null,
      classNames,
      pixelRange: pixelRange ?? (isPixelModel(network) ? [-1, 1] : null),
      latents: latents ?? (autoencoder === null ? null : scalingOf(autoencoder.config)),
    },
    network,
    process,
    isProcessKnown: true,
    ...(await namesOf(name, network, classNames)),
    guidanceChannels: 3,
    scheduler: null,
    autoencoder,
    assumptions: [],
  }
}

function networkOf(
  name: string,
  network: ModelInMemory['network'],
  classNames: readonly string[] | null,
  prompted?: Prompted,
): SampledNetwork {
  if (!isOwnNetwork(network)) {
    checkConfig(network)
    return ditNetwork(name, network, prompted)
  }
  const numClasses = network.classes?.numClasses ?? classNames?.length
  if (numClasses !== undefined && numClasses > 0) return ownNetwork(name, network, numClasses)
  throw new OptionError('classNames', `they are needed: the network of ${name} has no \`classes\``)
}

/**
 * Checks that a network of a user's own has all of its parameters, each with its shape.
 *
 * @throws OpenError that names the first that it lacks
 */
export function checkOwnParams(
  name: string,
  { parameters }: Network,
  found: ReadonlyMap<string, { readonly shape: Shape }>,
): void {
  for (const [key, { shape }] of Object.entries(parameters)) {
    const own = found.get(key)?.shape
    if (own !== undefined && sameShape(own, shape)) continue
    const came = own === undefined ? 'none' : formatShape(own)
    throw new OpenError(name, `its network needs the parameter ${key}, ${formatShape(shape)} (got ${came})`)
  }
}

/** The process with every setting. */
function processOf(name: string, process: ProcessSpec): CompleteProcess {
  const { kind = 'gaussian' } = process as { readonly kind?: string }
  if (kind === 'gaussian' || kind === 'flow') return completeProcess(process)
  throw new OpenError(name, `its process is of kind ${JSON.stringify(kind)}, not gaussian or flow`)
}

async function namesOf(
  name: string,
  { numClasses }: SampledNetwork,
  classNames: readonly string[] | null,
): Promise<ClassNames> {
  const classes = await classNamesOf(numClasses, classNames === null ? null : { from: 'model', names: classNames })
  if (classes.names.length === numClasses) return classes
  throw new OpenError(name, `it must have ${numClasses} class names, one for each class (got ${classes.names.length})`)
}
