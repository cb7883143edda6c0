import { type StoredSpec, type TensorFile, toFloat32 } from '@dit/checkpoint'
import type { Shape } from '@dit/tensor'
import { compareShapes } from '../compare-shapes.js'
import { type DiTConfig, numTokens } from '../config.js'
import { parameterShapes } from '../parameter-shapes.js'
import { type About, aboutFromMetadata, configFromMetadata } from './description.js'
import { configFromDiffusers } from './diffusers-config.js'
import { recipesForDiffusers, recipesFromDiffusers, unusedBesideFused } from './diffusers-names.js'
import { isAdapterFile } from '../low-rank/adapter-file.js'
import { LayoutError } from './error.js'
import { type ConfigHints, draftConfig } from './infer-config.js'
import { describeNeeds, isLeftOut, recogniseProgram, type SavedArguments, shapesOf } from './program.js'
import { type Recipe, readRecipe, specOf } from './recipe.js'
import { processOf } from './saved-process.js'

/**
 * Weights of a DiT under the official names, whatever names their file has. The process and the program are null where nothing in the
 * file tells: a bare state dict of SiT has the names and shapes of a DiT's.
 */
export interface ModelWeights extends TensorFile, About {
  /** Whose names the file has: those of the official code, or diffusers'. */
  readonly layout: 'reference' | 'diffusers'
  readonly config: DiTConfig
  /** Whether the file says its configuration, as those do that dit wrote. */
  readonly isDescribed: boolean
  /** What nothing in the file tells about the configuration, and what is taken for it; empty where it is known. */
  readonly assumptions: readonly string[]
}

export interface ReadLayoutOptions {
  /** The configuration, where it is known; else a file that `@dit` wrote says it, or its shapes tell it. */
  readonly config?: DiTConfig
  /** The parsed `config.json` that stands beside diffusers' weights. */
  readonly diffusersConfig?: unknown
  readonly hints?: ConfigHints
  /** What the training script saved beside the weights, from `chooseStateDict`. */
  readonly saved?: SavedArguments
}

const ADAPTERS = 'weights: these are low-rank adapters (LoRA): open the weights that they adapt, with these as `lora`'

/** Most tokens of a model whose position table is computed: a number in a file must not take all memory. */
const MAX_TOKENS = 2 ** 20

/** Names that tell a DiT, and its configuration. */
const TELLING = [
  'x_embedder.proj.weight',
  'pos_embed',
  'y_embedder.embedding_table.weight',
  'blocks.0.mlp.fc1.weight',
  'final_layer.linear.weight',
]

/**
 * What wrappers put before the names of the network: DistributedDataParallel, JiT's denoiser, modules of Lightning and others that hold a
 * network beside what else they need. Averages come first.
 */
const PREFIXES = [
  'ema_model.',
  'model_ema.',
  'ema.',
  'module.',
  'model.',
  'net.',
  'network.',
  'denoiser.',
  'diffusion_model.',
]

/** What wrappers put into names, wherever: torch.compile, FSDP, activation checkpointing. */
const MARKS = /(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g

/**
 * Sees weights of a DiT under the official names:
 *
 * - state dicts of the official DiT, fast-DiT and SiT, also with `module.` before every name;
 * - those of REPA without its projectors, and of LightningDiT where it uses none of its own blocks;
 * - diffusers' `DiTTransformer2DModel` (and `Transformer2DModel`, as published), with attention fused or not.
 *
 * Nothing is read but names and shapes; each tensor is read, and put together, when asked for.
 *
 *     const weights = readLayout(await openSafetensors(source))
 *     const params = await loadParams(weights)
 *     forward(weights.config, params, inputs)
 *
 * @throws LayoutError that lists what is missing, does not belong or has another shape
 * @throws RangeError where the names are no DiT's, a configuration is none, or the network needs blocks that are not built: those of JiT,
 *   most of LightningDiT, QK norm
 */
export function readLayout(file: TensorFile, options: ReadLayoutOptions = {}): ModelWeights {
  if (isAdapterFile(file)) throw new RangeError(ADAPTERS)
  const { file: plain, taken, others } = unwrapped(file)
  const has = (name: string) => plain.entries.has(name)
  const chosen = (weights: ModelWeights): ModelWeights => {
    if (others.length === 0) return weights
    const one = `the network under ${taken}, of those that the file also has under ${others.join(' and ')}`
    return { ...weights, assumptions: [...weights.assumptions, one] }
  }
  const about = () => ({ ...aboutFromMetadata(plain), isDescribed: configFromMetadata(plain) !== null })
  if (has('pos_embed.proj.weight')) return requireNames(chosen({ ...readDiffusers(plain, options), ...about() }))
  const found = recogniseProgram(shapesOf(plain), options.saved)
  if (found.needs.length > 0) throw new RangeError(`weights: ${describeNeeds(found)}`)
  if (TELLING.some(has)) {
    const written = about()
    const program = written.program ?? found.program
    return requireNames(
      chosen({
        ...readReference(withoutOthers(plain, program), options),
        ...written,
        program,
        process: written.process ?? found.process ?? processOf(program, options.saved ?? new Map()),
      }),
    )
  }
  const names = [...file.entries.keys()]
  const first =
    names.length === 0 ? 'it has none' : `the first of ${names.length} is ${JSON.stringify(names[0].slice(0, 100))}`
  throw new RangeError(`weights: the names must be those of a DiT, official or diffusers' (${first})`)
}

/**
 * A file's tensors by their names without what wrappers put before and into them. Where only some begin with a wrapper's prefix, those of
 * the network are taken: what stands beside them is not part of it.
 */
export function withoutPrefix(file: TensorFile): TensorFile {
  return unwrapped(file).file
}

/** Most prefixes that are taken off, one after another: real files have one or two. */
const MOST_PREFIXES = 8

/** `withoutPrefix`, with the other prefixes under which there is a network. */
function unwrapped(file: TensorFile): {
  readonly file: TensorFile
  readonly taken: string
  readonly others: readonly string[]
} {
  const marked = [...file.entries.keys()].some((name) => name.search(MARKS) >= 0)
  let plain = marked ? renamed(file, (name) => name.replaceAll(MARKS, '')) : file
  let taken = ''
  const others: string[] = []
  for (let level = 0; level < MOST_PREFIXES; level++) {
    const names = [...plain.entries.keys()]
    if (names.some((name) => ANY_NETWORK.includes(name))) break
    const [prefix, ...more] = PREFIXES.filter((each) => hasNetwork(names, each))
    if (prefix === undefined) break
    others.push(...more.map((each) => taken + each))
    plain = below(plain, prefix)
    taken += prefix
  }
  return { file: plain, taken, others }
}

/** Names by which a network is known, official or diffusers'. */
const ANY_NETWORK = ['x_embedder.proj.weight', 'pos_embed.proj.weight', 'x_embedder.proj1.weight']

/** Whether a network lies under a prefix, perhaps under further ones. */
function hasNetwork(names: readonly string[], prefix: string): boolean {
  return names.some((name) => name.startsWith(prefix) && ANY_NETWORK.some((known) => name.endsWith(`.${known}`)))
}

function below(file: TensorFile, prefix: string): TensorFile {
  const entries = new Map([...file.entries].filter(([name]) => name.startsWith(prefix)))
  return renamed({ ...file, entries }, (name) => name.slice(prefix.length))
}

/** A file under other names. */
function renamed(file: TensorFile, rename: (name: string) => string): TensorFile {
  const originals = new Map([...file.entries.keys()].map((name) => [rename(name), name]))
  if (originals.size < file.entries.size) return file
  const original = (name: string) => originals.get(name) ?? name
  return {
    ...file,
    entries: new Map([...originals].map(([name, from]) => [name, file.entries.get(from)!])),
    tensor: (name) => file.tensor(original(name)),
    float32: (name) => file.float32(original(name)),
  }
}

function withoutOthers(file: TensorFile, program: About['program']): TensorFile {
  return { ...file, entries: new Map([...file.entries].filter(([name]) => !isLeftOut(program, name))) }
}

type Undescribed = Omit<ModelWeights, keyof About | 'isDescribed'>

function readReference(file: TensorFile, { config, hints = {} }: ReadLayoutOptions): Undescribed {
  const shapes = shapesOf(file)
  const known = config ?? configFromMetadata(file)
  const inferred = known === null ? draftConfig(shapes, hints) : { config: known, assumptions: [] }
  if (inferred === null) {
    throw new LayoutError('weights: the names must be those of a DiT', {
      missing: TELLING.filter((name) => !shapes.has(name)),
      misshaped: [],
      unexpected: [],
    })
  }
  requireFit(
    inferred.config,
    new Map(Object.entries(parameterShapes(boundedDepth(inferred.config, shapes.size)))),
    shapes,
  )
  return { ...file, entries: file.entries, layout: 'reference', ...inferred }
}

function readDiffusers(file: TensorFile, { config, diffusersConfig, hints = {} }: ReadLayoutOptions): Undescribed {
  const { entries } = file
  const has = (name: string) => entries.has(name)
  const known =
    config ?? configFromMetadata(file) ?? (diffusersConfig === undefined ? null : configFromDiffusers(diffusersConfig))
  requireSameConfig(file, diffusersConfig)
  const found =
    known === null ? inferDiffusers(entries, hints) : { config: known, assumptions: olderClass(diffusersConfig, has) }
  const recipes = recipesFromDiffusers(boundedDepth(found.config, entries.size), has)
  if (numTokens(found.config) > MAX_TOKENS)
    throw new RangeError(`weights: inputSize must give at most ${MAX_TOKENS} tokens`)
  requireFit(found.config, diffusersShapes(found.config, recipes), shapesOf(file), unusedBesideFused(found.config, has))

  const specs = new Map<string, StoredSpec>()
  for (const name of Object.keys(parameterShapes(found.config))) specs.set(name, specOf(recipes.get(name)!, entries))
  const tensor = async (name: string) => {
    const recipe = recipes.get(name)
    if (recipe === undefined) throw new RangeError(`weights: there is no parameter ${JSON.stringify(name)}`)
    return readRecipe(recipe, file)
  }
  const float32 = async (name: string) => toFloat32(await tensor(name))
  return { entries: specs, tensor, float32, layout: 'diffusers', ...found }
}

/**
 * What the class from before `DiTTransformer2DModel` computes otherwise: for inputs of 128 and more, or by its option, it stretches the
 * positions that it does not store.
 */
function olderClass(json: unknown, has: (name: string) => boolean): string[] {
  const {
    _class_name,
    sample_size: size,
    interpolation_scale: given,
  } = (json ?? {}) as Readonly<Record<string, unknown>>
  if (_class_name !== 'Transformer2DModel' || has('pos_embed.pos_embed')) return []
  const scale = typeof given === 'number' ? given : typeof size === 'number' ? Math.max(1, Math.floor(size / 64)) : 1
  if (scale === 1) return []
  return [
    `the positions of DiTTransformer2DModel, though Transformer2DModel, which config.json names, divides them by ${scale} (interpolation_scale)`,
  ]
}

/** What `config.json` beside weights and the metadata of the weights both say. */
const SHARED = [
  'inputSize',
  'patchSize',
  'inChannels',
  'hiddenSize',
  'depth',
  'numHeads',
  'numClasses',
  'learnSigma',
] as const

/** Throws where the `config.json` beside weights is that of another network than their metadata say. */
function requireSameConfig(file: TensorFile, json: unknown): void {
  const own = configFromMetadata(file)
  if (own === null || json === undefined) return
  const theirs = configFromDiffusers(json)
  const name = SHARED.find((field) => JSON.stringify(own[field]) !== JSON.stringify(theirs[field]))
  if (name !== undefined) {
    throw new RangeError(
      `weights: config.json says ${name} ${JSON.stringify(theirs[name])}, but the metadata of the weights say ${JSON.stringify(own[name])}`,
    )
  }
  const [epsilon, other] = [own, theirs].map(({ mlpNormEpsilon = 1e-6 }) => mlpNormEpsilon)
  if (epsilon === other) return
  throw new RangeError(`weights: config.json says norm_eps ${other}, but the metadata of the weights say ${epsilon}`)
}

/** diffusers' names and shapes for a configuration: ours, taken apart. */
function diffusersShapes(config: DiTConfig, recipes: ReadonlyMap<string, Recipe>): Map<string, Shape> {
  const ours = new Map(
    Object.entries(parameterShapes(config)).map(([name, shape]) => [name, { dtype: 'F32', shape } as const]),
  )
  const shapes = new Map<string, Shape>()
  for (const [name, recipe] of recipesForDiffusers(config)) shapes.set(name, specOf(recipe, ours).shape)
  for (const [name, recipe] of recipes) {
    if (recipe.kind !== 'same') continue
    for (const theirs of recipe.names) shapes.set(theirs, ours.get(name)!.shape)
  }
  return shapes
}

/** The configuration that the shapes of a diffusers file suggest. */
function inferDiffusers(entries: ReadonlyMap<string, StoredSpec>, hints: ConfigHints) {
  const renamed = new Map<string, Shape>()
  const take = (ours: string, theirs: string) => {
    const shape = entries.get(theirs)?.shape
    if (shape !== undefined) renamed.set(ours, shape)
  }
  take('x_embedder.proj.weight', 'pos_embed.proj.weight')
  take('y_embedder.embedding_table.weight', 'transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight')
  take('final_layer.linear.weight', 'proj_out_2.weight')
  const side = 32
  const [hiddenSize, , patchSize] = renamed.get('x_embedder.proj.weight') ?? []
  renamed.set('pos_embed', entries.get('pos_embed.pos_embed')?.shape ?? [1, (side / patchSize) ** 2, hiddenSize])
  for (const name of entries.keys()) {
    const i = /^transformer_blocks\.(\d{1,6})\./.exec(name)?.[1]
    if (i !== undefined) take(`blocks.${i}.mlp.fc1.weight`, `transformer_blocks.${i}.ff.net.0.proj.weight`)
  }
  const inferred = draftConfig(renamed, hints)
  if (inferred === null) {
    const missing = ['transformer_blocks.0', 'proj_out_2.weight'].filter((start) => {
      return ![...entries.keys()].some((name) => name.startsWith(start))
    })
    throw new LayoutError("weights: the names must be those of diffusers' DiT", {
      missing,
      misshaped: [],
      unexpected: [],
    })
  }
  const config: DiTConfig = { ...inferred.config, timestepFrequencyShift: 1, mlpNormEpsilon: 1e-5 }
  const assumptions = [
    ...inferred.assumptions,
    `an input of ${config.inputSize} x ${config.inputSize}`,
    'norm_eps 1e-5',
  ]
  return { config, assumptions }
}

function requireFit(
  config: DiTConfig,
  expected: ReadonlyMap<string, Shape>,
  found: ReadonlyMap<string, Shape>,
  optional?: ReadonlySet<string>,
): void {
  const difference = compareShapes(expected, found, optional)
  if (difference === null) return
  const { depth, hiddenSize, patchSize } = config
  throw new LayoutError(
    `weights: they must be those of a DiT of depth ${depth}, width ${hiddenSize} and patch ${patchSize}`,
    difference,
  )
}

/** Throws where the file names more or fewer classes than the network has. */
function requireNames(weights: ModelWeights): ModelWeights {
  const { classNames, config } = weights
  if (classNames === null || classNames.length === config.numClasses) return weights
  throw new RangeError(
    `weights: the metadata dit.classes must have ${config.numClasses} names, one for each class (it has ${classNames.length})`,
  )
}

/** A configuration from a file must not ask for more names than a file can have: each would be made first. */
function boundedDepth(config: DiTConfig, numEntries: number): DiTConfig {
  if (config.depth <= numEntries) return config
  throw new RangeError(`weights: depth must be at most the number of tensors, ${numEntries} (got ${config.depth})`)
}
