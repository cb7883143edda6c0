import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { GaussianDiffusionOptions } from '@dit/diffusion'
import { checkParams, type DiTConfig, type HeldDType, holdParams, loadParams, type ParameterSource } from '@dit/model'
import { diffusersProcess, diffusersSampler, hasGaussianProcess, type PipelineSampler } from '@dit/sampler'
import type { Backend, Params } from '@dit/tensor'
import { loadCheckpointParams, type ProcessSpec } from '@dit/train-ddp'
import { Failure, UsageError } from '../terminal/errors.js'
import { denoisingOf } from '../run/objective-config.js'
import { openSource } from '../weights/open-source.js'
import { type ProcessFlags, processOfWeights } from '../weights/process-of.js'
import { withHeads } from '../weights/with-heads.js'
import { findModel } from './find-model.js'

/** What `dit sample` samples from, found and checked, but for its weights not read yet. */
export interface SampleSource {
  /** What errors call it. */
  readonly name: string
  /** What the user is told of it. */
  readonly title: string
  /** Where samples go unless the user says. */
  readonly folder: string
  readonly model: DiTConfig
  readonly process: ProcessSpec
  /** Names of the classes, in the order of their labels. */
  readonly classes: readonly string[]
  /** Channels that guidance has unless the user says: three, or all for weights of diffusers, as its pipeline has it. */
  readonly guidanceChannels: 3 | 'all'
  /** Folder of the autoencoder in a pipeline; null where there is none. */
  readonly vae: string | null
  /** What a pipeline's scheduler samples with; null where there is none, or the user chose another. */
  readonly sampler: PipelineSampler | null
  /** Of a checkpoint of a run. */
  readonly step: number | null
  readonly notices: readonly string[]
  load(backend: Backend): Promise<Params | ParameterSource>
  close(): Promise<void>
}

/** The flags that choose it. */
export interface SourceFlags extends ProcessFlags {
  readonly run?: string
  readonly checkpoint?: string
  readonly weights?: string
  readonly raw?: boolean
  readonly half?: HeldDType
  /** Attention heads, where the weights do not tell. */
  readonly heads?: number
  /** Takes the place of a pipeline's scheduler. */
  readonly sampler?: string
}

/**
 * The run, checkpoint or foreign weights that flags mean.
 *
 * @throws UsageError where there is none or too many; Failure where it is damaged
 */
export async function findSource(flags: SourceFlags): Promise<SampleSource> {
  if (flags.weights === undefined) return ofRun(flags)
  if (flags.run !== undefined || flags.checkpoint !== undefined) {
    throw new UsageError('--run, --checkpoint and --weights exclude each other')
  }
  return ofWeights(flags.weights, flags)
}

async function ofRun(flags: SourceFlags): Promise<SampleSource> {
  if (flags.half !== undefined) throw new UsageError('--half is for --weights; the checkpoints of runs are small')
  if (flags.heads !== undefined) throw new UsageError('--heads is for --weights; a run knows its own')
  const stray = (['process', 'path', 'predict'] as const).find((flag) => flags[flag] !== undefined)
  if (stray !== undefined) throw new UsageError(`--${stray} is for --weights; a run knows its own`)
  const { folder, config, store, path, step, notices } = await findModel(flags)
  const which = flags.raw === true ? 'model' : 'ema'
  const { model, process } = denoisingOf(config, 'dit sample')
  return {
    name: folder,
    title: `${folder}, step ${step}, ${which === 'model' ? 'trained' : 'averaged'} weights`,
    folder,
    model,
    process,
    classes: config.classes,
    guidanceChannels: 3,
    vae: null,
    sampler: null,
    step,
    notices,
    async load(backend) {
      const params = await loadCheckpointParams(store, path, which, backend)
      try {
        checkParams(model, params)
      } catch (cause) {
        throw new Failure(`${join(folder, path)} does not fit ${folder}/config.json: ${(cause as Error).message}`, {
          cause,
        })
      }
      return params
    },
    close: async () => {},
  }
}

async function ofWeights(path: string, flags: SourceFlags): Promise<SampleSource> {
  const { raw, half, heads, sampler: chosen } = flags
  const { sampler, diffusion } = await readScheduler(path, chosen)
  if (diffusion !== null) refuseProcessFlags(path, flags)
  const source = await openSource(path, raw === true ? 'model' : undefined)
  try {
    const weights = withHeads(source, heads)
    const { config, layout, which, program } = weights
    const told = diffusion === null ? weights : { ...weights, process: { kind: 'gaussian', ...diffusion } }
    const { process, assumptions } = processOfWeights(path, told, flags)
    const names = layout === 'diffusers' ? "diffusers'" : (program ?? 'official')
    const kind = `${names} names${which === null ? '' : `, ${which} weights`}`
    return {
      name: path,
      title: `${weights.path}, ${kind}${half === undefined ? '' : `, held in ${half}`}`,
      folder: dirname(weights.path),
      model: config,
      process,
      classes: Array.from({ length: config.numClasses }, (_, label) => String(label)),
      guidanceChannels: layout === 'diffusers' ? 'all' : 3,
      vae: (await isFile(join(path, 'vae', 'config.json'))) ? join(path, 'vae') : null,
      sampler,
      step: null,
      notices: noticesOf([...weights.assumptions, ...assumptions]),
      load: (backend) =>
        half === undefined ? loadParams(weights, { backend }) : holdParams(weights, { dtype: half, backend }),
      close: () => weights.close(),
    }
  } catch (error) {
    await source.close()
    throw error
  }
}

function noticesOf(assumptions: readonly string[]): string[] {
  return assumptions.length === 0 ? [] : [`assumed: ${assumptions.join('; ')}`]
}

function refuseProcessFlags(path: string, flags: ProcessFlags): void {
  const stray = (['process', 'path', 'predict'] as const).find((flag) => flags[flag] !== undefined)
  if (stray === undefined) return
  throw new UsageError(`--${stray} ${flags[stray]}: the scheduler in ${path} says the process; leave --${stray} out`)
}

/**
 * What `scheduler/scheduler_config.json` in a pipeline's folder says: the process of the weights, and the sampler, which is null
 * where the user chose one, or there is no such file. The process is null where there is none.
 *
 * @throws UsageError where the scheduler is not known and the user chose none, or the user chose one and the process is not Gaussian
 */
async function readScheduler(
  folder: string,
  chosen: string | undefined,
): Promise<{ sampler: PipelineSampler | null; diffusion: GaussianDiffusionOptions | null }> {
  const path = join(folder, 'scheduler', 'scheduler_config.json')
  if (!(await isFile(path))) return { sampler: null, diffusion: null }
  const text = await readFile(path, 'utf8')
  const isGaussian = checkScheduler(path, '', () => hasGaussianProcess(text))
  if (chosen === undefined && !isGaussian) {
    // A flow, or EDM: only its own sampler knows what its network means.
    return { sampler: checkScheduler(path, '', () => diffusersSampler(text)), diffusion: {} }
  }
  const { betas, predictionType } = checkScheduler(path, '', () => diffusersProcess(text))
  if (chosen === undefined) {
    const advice = '; --sampler takes another in its place'
    return { sampler: checkScheduler(path, advice, () => diffusersSampler(text)), diffusion: { betas } }
  }
  if (predictionType === 'v') {
    throw new UsageError(`${path}: prediction_type v_prediction is for its own sampler; leave --sampler out`)
  }
  if (betas.at(-1) === 1) {
    throw new UsageError(`${path}: rescale_betas_zero_snr is for its own sampler; leave --sampler out`)
  }
  return { sampler: null, diffusion: { betas, meanType: predictionType } }
}

function checkScheduler<T>(path: string, advice: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    const problem = error.message.replace(/^scheduler_config\.json: /, '')
    throw new UsageError(`${path}: ${problem}${advice}`, { cause: error })
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true
}
