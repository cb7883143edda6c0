import { type FileTree, findWeights, openTensorsIn, readText, ShardsError, WEIGHTS_FILES } from '@dit/checkpoint'
import { type CompleteProcess, completeProcess } from '@dit/diffusion'
import {
  checkConfig,
  type Description,
  type DiTConfig,
  holdParams,
  LayoutError,
  loadParams,
  type ModelWeights,
  openWeightsIn,
  type OpenWeights,
  type WhichWeights,
} from '@dit/model'
import { type ClassNames, classNamesOf, namesFromId2label } from '../classes/class-names.js'
import type { FoundAutoencoder, OpenDiT } from '../open-model.js'
import { ditNetwork, type Prompted, type SampledNetwork } from '../network.js'
import { OpenError, OptionError } from '../option-error.js'
import { scalingOf } from '../pictures/latent-scaling.js'
import { isPixelModel } from '../pictures/pixel-model.js'
import { type ProcessSettings, processOfWeights } from '../process-of.js'
import type { Scheduler } from './scheduler.js'

/** What a file does not say, where the caller knows it. */
export interface OpenOptions {
  /** The process that the weights were trained on: all of its settings, or those that the file does not say. */
  readonly process?: ProcessSettings
  /** Which weights of a training state or a run: the moving average by default, where there is one. */
  readonly which?: WhichWeights
  /** The weights in a `.pt` file by the name of their dict, with dots between names, where they lie in an unusual place. */
  readonly key?: string
  /** Attention heads, where neither the file nor its size tells them. */
  readonly heads?: number
  /** Names of the classes, in the order of the labels, in place of those of the file. */
  readonly classNames?: readonly string[]
  /**
   * Of a DiT with conditions: makes of its configuration the network that is sampled, whose classes are prompts. For example
   * `(config) => withPrompts(config, prompts, count)`
   */
  readonly prompted?: Prompted
  /** The autoencoder of latents, in place of that of a pipeline's folder. */
  readonly autoencoder?: FoundAutoencoder
}

/** What a run, or whoever knows it, says of weights in place of their file. */
export interface Known {
  readonly config: DiTConfig
  readonly process: CompleteProcess
  readonly classNames: readonly string[]
  readonly latents: Description['latents']
  readonly step: number
}

/**
 * Finds and understands a model in a folder, before its weights are read.
 *
 * @param name what messages call it
 * @param path of a file of weights in the folder; null for a folder as diffusers saves it
 * @throws OpenError that says what is missing and where it was looked for, or what cannot be read; OptionError for options that the files
 *   contradict
 */
export async function openTree(
  name: string,
  tree: FileTree,
  path: string | null,
  options: OpenOptions = {},
  known: Known | null = null,
): Promise<OpenDiT> {
  const opened = await openWeightsOf(name, tree, path, options, known)
  return understand(name, opened, path === null ? tree : null, options, known)
}

/**
 * Understands weights that are open, which are closed where this fails.
 *
 * @param folder as diffusers saves it, where they lie in one: what stands beside them
 */
export async function understand(
  name: string,
  opened: OpenWeights,
  folder: FileTree | null,
  options: OpenOptions = {},
  known: Known | null = null,
): Promise<OpenDiT> {
  try {
    const weights = withHeads(opened, options.heads)
    const scheduler = folder === null ? null : await schedulerIn(folder)
    if (scheduler !== null && options.process !== undefined) {
      throw new OptionError('process', `${scheduler.path} already says the process; leave \`process\` out`)
    }
    if (scheduler !== null) await checkScheduler(weights, scheduler)
    const told = { ...weights, process: processTold(weights, scheduler, known) }
    const { process, assumptions, isKnown } =
      scheduler !== null && scheduler.process === null
        ? { process: null, assumptions: [], isKnown: false }
        : processOfWeights(name, told, options.process)
    const network = ditNetwork(name, weights.config, options.prompted)
    const classes = await namesOf(name, folder, weights, network, options, known)
    const autoencoder = options.autoencoder ?? (folder === null ? null : await findAutoencoder(folder))
    const named = classes.from === 'imagenet' ? ['class names of ImageNet, because there are 1,000 classes'] : []
    return {
      name,
      title: titleOf(weights),
      description: describe(weights, process, classes, autoencoder, known),
      network,
      process,
      isProcessKnown: isKnown,
      ...classes,
      layout: weights.layout,
      which: weights.which,
      step: known?.step ?? null,
      guidanceChannels: weights.layout === 'diffusers' && !weights.isDescribed ? 'all' : 3,
      scheduler,
      autoencoder,
      location: null,
      notices: [...unreadNotice(opened.unread), ...namesNotice(weights, classes, options, known)],
      assumptions: [...weights.assumptions, ...assumptions, ...named],
      weights,
      isLent: false,
      load: (backend, half) =>
        half === undefined ? loadParams(weights, { backend }) : holdParams(weights, { dtype: half, backend }),
      close: () => opened.close(),
    }
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function openWeightsOf(
  name: string,
  tree: FileTree,
  path: string | null,
  { which, key }: OpenOptions,
  known: Known | null,
): Promise<OpenWeights> {
  try {
    const config = known === null ? {} : { config: known.config }
    return await openWeightsIn(tree, path, { ...config, which, key })
  } catch (error) {
    const part = path === null ? null : /^(.*)-\d{5}-of-0*(\d+)(\.\w+)$/.exec(path)
    if (part !== null && (error instanceof LayoutError || error instanceof RangeError)) {
      const [, base, count, extension] = part
      throw new OpenError(
        name,
        `it is only one of ${count} files; give their index ${tree.place(`${base}${extension}.index.json`)}, or their folder`,
        { cause: error },
      )
    }
    if (error instanceof ShardsError && /must (?:be JSON|have a "weight_map")/.test(error.message)) {
      const problem =
        'it is not a weights file, nor the index of one; give the weights file or the folder that it is in'
      throw new OpenError(name, problem, { cause: error })
    }
    // What a file does not hold is the caller's mistake; a damaged or hostile file is a failure of its own kind.
    const isSystemError = typeof (error as { code?: unknown }).code === 'string'
    if (error instanceof LayoutError || (error instanceof RangeError && !isSystemError)) {
      throw new OpenError(name, about(name, error.message), { cause: error })
    }
    throw error
  }
}

/** A message of a reader as a problem of what was opened, which it may name. */
function about(name: string, message: string): string {
  const problem = message.replace(/^(?:openWeights|weights): /, '')
  return problem.startsWith(`${name} `) ? `it${problem.slice(name.length)}` : problem
}

/** Weights with the number of attention heads that was given: it changes what they mean, and no shape tells it. */
function withHeads(weights: OpenWeights, heads: number | undefined): OpenWeights {
  const guess = weights.assumptions.find((text) => text.includes('heads (a file does not say)'))
  if (heads === undefined) {
    if (guess === undefined) return weights
    throw new OptionError(
      'heads',
      'it is needed, because neither the file nor its sizes tell the number of attention heads',
    )
  }
  const { numHeads } = weights.config
  if (heads !== numHeads && !weights.assumptions.some((text) => text.includes('attention heads'))) {
    throw new OptionError('heads', `the file says ${numHeads}; leave it out`, heads)
  }
  const config = { ...weights.config, numHeads: heads }
  try {
    checkConfig(config)
  } catch (cause) {
    if (cause instanceof RangeError) throw new OptionError('heads', cause.message, heads, { cause })
    throw cause
  }
  return { ...weights, config, assumptions: weights.assumptions.filter((text) => !text.includes('attention heads')) }
}

/** Loaded only where there is a scheduler, as are the schedulers themselves. */
async function checkScheduler(weights: ModelWeights, scheduler: Scheduler): Promise<void> {
  const { checkAgreement } = await import('./check-agreement.js')
  checkAgreement(weights, scheduler)
}

async function schedulerIn(tree: FileTree): Promise<Scheduler | null> {
  const path = 'scheduler/scheduler_config.json'
  const text = await readText(tree, path)
  if (text === null) return null
  // Loaded only here: the schedulers of diffusers are a tenth of what a page downloads.
  const { readScheduler } = await import('./scheduler.js')
  return readScheduler(text, tree.place(path))
}

/** The process that the files say: a run's, then that of a scheduler that somebody chose, then that of the weights. */
function processTold(weights: ModelWeights, scheduler: Scheduler | null, known: Known | null): ModelWeights['process'] {
  if (known !== null) return { ...known.process }
  return scheduler === null ? weights.process : scheduler.process
}

async function namesOf(
  name: string,
  folder: FileTree | null,
  { config, classNames }: ModelWeights,
  { numClasses }: SampledNetwork,
  options: OpenOptions,
  known: Known | null,
): Promise<ClassNames> {
  if (options.classNames !== undefined && options.classNames.length !== numClasses) {
    throw new OptionError(
      'classNames',
      `there must be ${numClasses}, one for each class of ${name} (got ${options.classNames.length})`,
    )
  }
  const own = options.classNames ?? known?.classNames
  // A DiT with conditions has no names of classes, and prompts are none of its file.
  if (config.conditions !== undefined && options.classNames === undefined) return classNamesOf(numClasses, null)
  if (own !== undefined) return { from: 'model', names: own }
  const labels = folder === null ? null : await id2labelIn(folder)
  if (labels !== null) {
    try {
      return {
        from: labels.isOwn ? 'model' : 'id2label',
        names: namesFromId2label(labels.id2label, numClasses, labels.isOwn),
      }
    } catch (cause) {
      if (cause instanceof RangeError) throw new OpenError(folder!.place(labels.path), cause.message, { cause })
      throw cause
    }
  }
  return classNamesOf(numClasses, classNames === null ? null : { from: 'model', names: classNames })
}

/**
 * Under what name dit writes the names of classes into the `config.json` of a network. diffusers' class warns of an `id2label`; names that
 * begin so it keeps without a word, also when it saves the network again.
 */
export const OWN_NAMES = '_id2label'

/** Largest file with names of classes that is read. */
const MAX_NAMES_BYTES = 2 ** 24

/** Where a diffusers folder may name its classes: in its pipeline's file, or in that of the network. */
const WITH_NAMES = ['model_index.json', 'config.json', 'transformer/config.json']

/** The names of classes in a diffusers folder, and where they were found. */
interface FoundNames {
  readonly id2label: unknown
  readonly path: string
  /** Whether dit wrote them: then a comma is a part of a name, and parts no synonyms. */
  readonly isOwn: boolean
}

/** Those of the first file that has any. */
async function id2labelIn(tree: FileTree): Promise<FoundNames | null> {
  for (const path of WITH_NAMES) {
    const text = await readText(tree, path, MAX_NAMES_BYTES)
    if (text === null) continue
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch (cause) {
      throw new OpenError(tree.place(path), 'it is not valid JSON', { cause })
    }
    const { id2label = null, [OWN_NAMES]: own = null } = (json ?? {}) as Readonly<Record<string, unknown>>
    if (id2label !== null) return { id2label, path, isOwn: false }
    if (own !== null) return { id2label: own, path, isOwn: true }
  }
  return null
}

/**
 * The autoencoder in a folder: that of `vae/` in a pipeline's, or the folder itself with `prefix` ''.
 *
 * @throws OpenError where its configuration is not that of an autoencoder that dit knows
 */
export async function findAutoencoder(tree: FileTree, prefix = 'vae/'): Promise<FoundAutoencoder | null> {
  const path = `${prefix}config.json`
  const text = await readText(tree, path)
  if (text === null) return null
  const name = tree.place(prefix)
  // Loaded only here, as most pages have no autoencoder.
  const { vaeConfig } = await import('@dit/vae')
  let config: FoundAutoencoder['config']
  try {
    config = vaeConfig(JSON.parse(text))
  } catch (cause) {
    throw new OpenError(tree.place(path), (cause as Error).message, { cause })
  }
  return {
    name,
    config,
    async open() {
      const file = await findWeights(tree, prefix)
      if (file === null) throw new OpenError(name, `it has no weights file, such as ${WEIGHTS_FILES[0]}`)
      return openTensorsIn(tree, file)
    },
  }
}

/** Reports class names that differ between a folder and its weights: one was renamed, or one is wrong. */
function namesNotice(
  { classNames }: ModelWeights,
  { names }: ClassNames,
  options: OpenOptions,
  known: Known | null,
): string[] {
  if (classNames === null || options.classNames !== undefined || known !== null) return []
  const label = names.findIndex((name, i) => name !== classNames[i])
  if (label < 0) return []
  return [
    `the folder calls class ${label} ${names[label]}, but the metadata of the weights call it ${classNames[label]}; the folder's names are used`,
  ]
}

/** Says what a file holds beside its weights that is not read. */
function unreadNotice(unread: readonly string[]): string[] {
  return unread.length === 0 ? [] : [`the file also holds objects that are not read: ${unread.slice(0, 8).join(', ')}`]
}

function titleOf({ path, layout, program, which }: OpenWeights): string {
  const names = layout === 'diffusers' ? "diffusers'" : (program ?? 'official')
  return `${path}, ${names} names${which === null ? '' : `, ${which} weights`}`
}

function describe(
  weights: ModelWeights,
  process: CompleteProcess | null,
  { from, names }: ClassNames,
  autoencoder: FoundAutoencoder | null,
  known: Known | null,
): Description {
  const { config, program, pixelRange } = weights
  const isKnown = from !== 'numbers' && from !== 'imagenet'
  const scaling = autoencoder === null ? null : scalingOf(autoencoder.config)
  return {
    network: config,
    process: process === null ? null : { ...completeProcess(process) },
    program,
    classNames: isKnown ? names : null,
    pixelRange: pixelRange ?? (isPixelModel(config) ? [-1, 1] : null),
    latents: known?.latents ?? weights.latents ?? scaling,
  }
}
