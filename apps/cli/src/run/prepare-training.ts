import { stat } from 'node:fs/promises'
import { loadParams } from '@dit/model'
import type { Params } from '@dit/tensor'
import { type BatchSource, type Objective, objectiveFromSpec, onRankZero, sharedText } from '@dit/train-ddp'
import { shardPaths } from '@dit/data/node'
import { resumedStart, shareStart } from '../fine-tune/open-start.js'
import { planFineTune } from '../fine-tune/plan-fine-tune.js'
import { sizeOfRun } from '../fine-tune/resolve-start.js'
import { openStartingPoint, type StartingPoint } from '../fine-tune/starting-point.js'
import { needsBase } from '../fine-tune/trained.js'
import { inFlags } from '../settings/option-flag.js'
import { chosenBackend } from '../engines/engine-options.js'
import { type EngineDescription, enginePrecision, type OpenEngine, openEngine } from '../engines/open-engine.js'
import type { Job } from '../job/job.js'
import { type AskedConditions, askedConditions } from './conditions.js'
import { flagDifference } from '../job/same-flags.js'
import { flagOf } from '../settings/flag-of.js'
import { TRAIN_DEFAULTS, type TrainFlags } from '../settings/train-settings.js'
import { isGenerated } from './generated-data.js'
import { findLatents } from './open-latents.js'
import { dataDifference, isSameSplit, type OpenData, openData, placeOfData, requestOf } from './open-data.js'
import type { ObjectiveConfig } from './objective-config.js'
import { checkModuleFlags, checkNoModule } from './objective-flags.js'
import { moduleContext, planOfModule } from './plan-of-module.js'
import { importObjective, openModule } from './objective-module.js'
import { type LatentSize, resolveRun } from './resolve-run.js'
import { type DataConfig, RUN_FORMAT, type RunConfig } from './run-config.js'
import { checkNewLength } from './new-length.js'
import { lengthInEpochs } from './run-length.js'
import { resumedRun } from './resumed-run.js'
import { tellChecksum } from './tell-checksum.js'
import { checkUnused, checkWritable, readRunConfig, runFolder } from './run-folder.js'
import { Failure, UsageError } from '../terminal/errors.js'
import type { Output } from '../terminal/output.js'
import { ditVersion } from '../version.js'
import { checkFolderOptions } from './check-folder-options.js'
import { checkTrainingMemory } from './check-memory.js'

/** A run that can begin: everything is checked and open, nothing is written. */
export interface PreparedRun {
  readonly folder: string
  readonly config: RunConfig
  readonly objective: Objective
  readonly data: OpenData
  /** Batches that the module of the objective brings in place of pictures. */
  readonly moduleBatches: BatchSource | null
  /** The weights that the run begins with, on the engine; null where the objective or a checkpoint has them. */
  readonly initial?: Params | null
  readonly engine: OpenEngine
  readonly isResume: boolean
  readonly allowInexact: boolean
  readonly onSaveError?: 'stop' | 'continue'
}

/**
 * Checks everything about a run that flags describe, or that they continue; rank 0 does so, and the others, who were given the same
 * flags, join it. The caller closes data and engine.
 *
 * @throws UsageError, Failure
 */
export async function prepareTraining(flags: TrainFlags, output: Output, job: Job): Promise<PreparedRun> {
  const isResume = flags.resume !== undefined && flags.resume !== false
  const { communicator } = job
  const difference = communicator.size === 1 ? null : await flagDifference(communicator, flags)
  const prepare = async () => {
    if (difference !== null) throw new UsageError(difference)
    return isResume ? prepareResume(flags, output, job) : prepareNew(flags, output, job)
  }
  const opened = await onRankZero(communicator, prepare, async () => {})
  if (communicator.size === 1) return withStart(opened!, job)
  const { folder, config, allowInexact, onSaveError, needsStart }: Partial<OpenedRun> = opened ?? {}
  const told = { folder, config, isResume, allowInexact, onSaveError, needsStart }
  const text = await sharedText(communicator, JSON.stringify(told))
  return withStart(opened ?? (await joinRun(JSON.parse(text) as ToldRun, flags, output, job)), job)
}

/** A run before weights that it begins from have come to every worker. */
interface OpenedRun extends Omit<PreparedRun, 'objective' | 'initial'> {
  /** Null where it is made of those weights. */
  readonly objective: Objective | null
  /** Whether it needs them. */
  readonly needsStart: boolean
  /** On rank 0, if it does. */
  readonly start: Params | null
}

/** What rank 0 tells the others of a run: plain data. */
type ToldRun = Omit<OpenedRun, 'data' | 'engine' | 'objective' | 'moduleBatches' | 'start'>

/** A run with the weights that it begins from. Every rank calls it. */
async function withStart({ needsStart, start, ...opened }: OpenedRun, job: Job): Promise<PreparedRun> {
  const { config, engine, data } = opened
  if (!needsStart) return { ...opened, objective: opened.objective!, initial: null }
  try {
    const { initial, objective } = await shareStart(config, start, job.communicator, engine.backend)
    return { ...opened, objective: objective ?? opened.objective!, initial }
  } catch (error) {
    await data.close()
    await engine.backend.dispose()
    throw error
  }
}

/** Opens on another rank what rank 0 has prepared: the same data, and an engine of the same kind. */
async function joinRun(told: ToldRun, flags: TrainFlags, output: Output, { localSize }: Job): Promise<OpenedRun> {
  const { data, engine: first } = told.config
  const opened = await openData(requestOf(told.config), output)
  return orClose(opened, async () => {
    const engine = await openEngine(first.name, { ...enginePrecision(first, first.name), ...flags, workers: localSize })
    const difference =
      dataDifference(data, opened.config) ??
      engineDifference({ ...first, name: engine.description.name }, engine.description)
    if (difference === null)
      return { ...told, ...(await openObjective(told.config, opened, true)), start: null, data: opened, engine }
    await engine.backend.dispose()
    throw new Failure(`this worker is not like rank 0: ${difference}`)
  })
}

/** The objective of a run, unless it is made of weights that have yet to come, and the batches that its module brings. */
async function openObjective(
  config: RunConfig,
  { dataset }: OpenData,
  isJoining = false,
): Promise<Pick<OpenedRun, 'objective' | 'moduleBatches'>> {
  const { objective: spec, recipe, seed, data } = config
  if (spec.kind !== 'module') {
    return { objective: needsBase(config) ? null : objectiveFromSpec(spec), moduleBatches: null }
  }
  const module = await importObjective(spec.module)
  const { options = {} } = spec
  const context = moduleContext(dataset, data.kind === 'latents', { batchSize: recipe.batchSize, seed, options })
  const { objective, batches, config: found } = await openModule(module, context)
  if (JSON.stringify(found.spec) !== JSON.stringify(spec.spec) && isJoining) {
    throw new Failure(
      `this worker is not like rank 0: ${module.path} makes another objective here (${JSON.stringify(found.spec)})`,
    )
  }
  return { objective, moduleBatches: batches }
}

async function prepareNew(flags: TrainFlags, output: Output, job: Job): Promise<OpenedRun> {
  const conditions = await askedConditions(flags)
  const start = await openStartingPoint(flags)
  try {
    return await prepareFrom(start, conditions, flags, output, job)
  } finally {
    await start?.model.close()
  }
}

async function prepareFrom(
  start: StartingPoint | null,
  conditions: AskedConditions | null,
  given: TrainFlags,
  output: Output,
  job: Job,
): Promise<OpenedRun> {
  const folder = runFolder({ ...given, resume: false })
  const latents = await latentSize(given)
  const workers = job.communicator.size
  const module = given.objective === undefined ? null : await importObjective(given.objective)
  const flags = start === null || latents !== undefined ? given : { ...given, size: sizeOfRun(given, start) }
  if (module !== null) checkModuleFlags(flags, module.data !== null)
  else {
    checkNoModule(flags)
    // Once before the data are read, which may take long; their number of classes is not what may be wrong.
    const likely = resolveRun(flags, 1, workers, latents, start, conditions?.specs(1))
    if (start === null) checkTrainingMemory(likely, job)
  }
  if ((module?.data ?? null) === null && latents === undefined)
    checkFolderOptions(flags.data ?? TRAIN_DEFAULTS.data, flags)
  await checkWritable('--out', folder)
  await checkUnused('--out', folder)
  const { data, size, flip, skipBad, background, maxPixels, checkFiles, classNames } = { ...TRAIN_DEFAULTS, ...flags }
  const folderRequest = { data, size, skipBad, background, maxPixels, checkFiles, classNames }
  // The classes of the data are not known yet, and the file of conditions does not have them.
  const wanted = conditions === null ? {} : { conditions: { asked: conditions.asked, specs: conditions.specs(1) } }
  const pictures = { ...(flags.latents === undefined ? folderRequest : { latents: flags.latents, flip }), ...wanted }
  const opened = await openData(module === null || module.data === null ? pictures : { module: true }, output)
  return orClose(opened, async () => {
    const classes = opened.dataset?.classes ?? []
    const resolved =
      module === null
        ? resolveRun(flags, classes.length, workers, latents, start, conditions?.specs(classes.length))
        : await planOfModule(module, flags, workers, opened.dataset)
    if (start !== null) tellChecksum(start.config, output)
    const fineTune = start === null ? null : await planFineTune(start, given, resolved, classes)
    if (fineTune !== null) checkTrainingMemory(fineTune.plan, job)
    if (start !== null) {
      const { assumptions, notices } = start.model
      for (const notice of notices) output.notice(notice)
      if (assumptions.length > 0) output.notice(inFlags(`assumed of --from: ${assumptions.join('; ')}`))
    }
    const plan = fineTune?.plan ?? resolved
    const length = await lengthInEpochs(plan, opened)
    const engine = await openEngine(chosenBackend(flags), { ...flags, workers: job.localSize })
    try {
      const config: RunConfig = {
        format: RUN_FORMAT,
        ...plan,
        ...length,
        data: opened.config,
        classes: [...classes],
        engine: engine.description,
        versions: { dit: ditVersion(), node: process.versions.node, platform: process.platform, arch: process.arch },
      }
      return {
        folder,
        config,
        ...(await openObjective(config, opened)),
        needsStart: fineTune !== null,
        start: fineTune === null ? null : await loadParams(fineTune.weights, { backend: engine.backend }),
        data: opened,
        engine,
        isResume: false,
        allowInexact: flags.allowInexact ?? false,
        onSaveError: flags.onSaveError,
      }
    } catch (error) {
      await engine.backend.dispose()
      throw error
    }
  })
}

async function prepareResume(flags: TrainFlags, output: Output, job: Job): Promise<OpenedRun> {
  const folder = runFolder(flags)
  const before = await readRunConfig(folder)
  const config = resumedRun(before, flags, job.communicator.size)
  checkTrainingMemory(config, job)
  await checkWritable('--resume', folder)
  const allowInexact = flags.allowInexact ?? false
  if (config.steps !== before.steps) await checkNewLength(folder, before, config, { output, allowInexact })
  const { data } = config
  if (isGenerated(data)) checkFolderOptions(flags.data ?? data.kind, flags)
  await checkStillThere(flags, data)
  const opened = await openData(requestOf(config, flags), output)
  return orClose(opened, async () => {
    const backend = chosenBackend(flags, before.engine.name)
    const settings = { ...enginePrecision(before.engine, backend), ...flags, workers: job.localSize }
    const engine = await openEngine(backend, settings)
    const differences = [
      dataDifference(data, opened.config),
      engineDifference(before.engine, engine.description),
    ].filter((difference) => difference !== null)
    if (differences.length > 0 && !allowInexact) {
      await engine.backend.dispose()
      throw new Failure(
        `resuming ${folder} would not repeat an uninterrupted run: ${differences.join('; ')}. Resume anyway with --allow-inexact`,
      )
    }
    for (const difference of differences) output.notice(`resumed inexactly: ${difference}`)
    if (config.heldOut !== undefined && !isSameSplit(data, opened.config)) {
      output.notice(
        'which pictures are held out follows from the files, so that some of those held out from now on may have been trained on, and their error is too low; for an error to trust, start a new run',
      )
    }
    const objective = await movedModule(config, flags, output)
    const changed = { ...config, objective, data: opened.config, engine: engine.description }
    const start = await resumedStart(folder, changed, engine.backend)
    return {
      folder,
      config: changed,
      ...(await openObjective(changed, opened)),
      needsStart: start !== null,
      start,
      data: opened,
      engine,
      isResume: true,
      allowInexact,
      onSaveError: flags.onSaveError,
    }
  })
}

/** The objective of a resumed run, whose module may have moved. The trainer compares its spec with that of the checkpoint. */
async function movedModule(
  { objective: before, data }: RunConfig,
  flags: TrainFlags,
  output: Output,
): Promise<ObjectiveConfig> {
  if (before.kind !== 'module') return before
  const module = await importObjective(flags.objective ?? before.module)
  const { path, sha256 } = module
  if ((module.data !== null) !== (data.kind === 'module')) {
    const [was, is] = data.kind === 'module' ? ['the data of its module', 'no data'] : ['pictures', 'its own data']
    throw new UsageError(
      `${path}: the run learns from ${was}, but this module exports ${is}; it is not the objective of this run`,
    )
  }
  checkModuleFlags(
    { ...flags, data: undefined, latents: undefined, ...(data.kind === 'module' ? flags : {}) },
    module.data !== null,
  )
  if (sha256 !== before.sha256) {
    output.notice(`${path} has changed since the run began; results may differ from an uninterrupted run`)
  }
  // The digest stays that of the beginning: every later resume is told as well.
  return { ...before, module: path }
}

/** Checks that the pictures of a resumed run are where they were, unless flags say where they are now. */
async function checkStillThere(flags: TrainFlags, data: DataConfig): Promise<void> {
  const flag = data.kind === 'latents' ? 'latents' : 'data'
  if (flags[flag] !== undefined || isGenerated(data) || data.kind === 'module') return
  const place = placeOfData(data)
  const found = data.kind === 'shards' ? shardPaths(place) : stat(place)
  if ((await found.catch(() => null)) !== null) return
  if (data.kind === 'dataset')
    throw new UsageError(`the run's pictures came from ${place}, which is gone; give the module with --data`)
  throw new UsageError(
    `the run's ${data.kind === 'latents' ? 'latents' : 'pictures'} were in ${place}, which no longer exist${data.kind === 'shards' ? ' in full; give them' : 's; give their folder'} with --${flag}`,
  )
}

/** What the latents are that flags name. @throws UsageError where they name pictures, too */
export async function latentSize(flags: TrainFlags): Promise<LatentSize | undefined> {
  if (flags.latents === undefined) return undefined
  for (const name of [
    'data',
    'size',
    'skipBad',
    'background',
    'maxPixels',
    'checkFiles',
    'classNames',
    'sampleEvery',
  ] as const) {
    if ((flags[name] ?? null) === null) continue
    throw new UsageError(`${flagOf(name)} is for pictures, but --latents names latents; leave one of them out`)
  }
  const [channels, size] = (await findLatents(flags.latents)).shape
  return { channels, size }
}

/** How an engine differs from that of the run in what its results depend on; the trainer compares the names. */
function engineDifference(before: EngineDescription, now: EngineDescription): string | null {
  if (before.name !== now.name) return null
  if (before.version !== now.version) return `${now.name} was version ${before.version} and is now ${now.version}`
  if (before.instructionSet !== now.instructionSet) {
    return `${now.name} ran with ${before.instructionSet ?? 'no SIMD'} and now has ${now.instructionSet ?? 'no SIMD'}`
  }
  // TensorFlow cuts its sums by threads; the other engines give the same bits on any number of them.
  if (now.name === 'tfjs-node' && before.threads !== now.threads) {
    return `${now.name} ran on ${before.threads} threads and now has ${now.threads} (restore with --threads ${before.threads})`
  }
  return null
}

async function orClose<T>(data: OpenData, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await data.close()
    throw error
  }
}
