import {
  isAdapterName,
  checkTied,
  chooseStateDict,
  type ConfigHints,
  type DiTConfig,
  firstNonFinite,
  type LatentScaling,
  type LayoutReport,
  type ModelWeights,
  type ReadLayoutOptions,
  reportLayout,
  type SavedArguments,
  type WhichWeights,
} from '@dit/model'
import { ShardsError, type TensorFile } from '@dit/checkpoint'
import { openSafetensorsFile, openShardsFile, openTorchFile, sniffFile } from '@dit/checkpoint/node'
import { locateWeights } from '@dit/model/node'
import { sizeOf } from '@dit/tensor'
import { describeProcess } from '@dit/pipeline'
import type { ProcessSpec } from '@dit/diffusion'
import { completeProcess } from '@dit/train-ddp'
import { messageOf, UsageError } from '../terminal/errors.js'
import { formatBytes, formatCount, formatNumber, formatTable } from '../terminal/format.js'

export interface TensorReport {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
}

/** What a file of weights holds. */
export interface FileReport {
  readonly path: string
  readonly format: 'safetensors' | 'torch' | 'shards'
  /** Whose names the tensors have; null where it is not the parameters of a DiT. */
  readonly layout: ModelWeights['layout'] | null
  /** Of a training state: which of its weights are told of. */
  readonly which: WhichWeights | null
  readonly values: number
  readonly bytes: number
  readonly tensors: readonly TensorReport[]
  readonly metadata: Readonly<Record<string, string>>
  /** What the file says of its classes, pixels and latents; null where it says nothing. */
  readonly classNames: readonly string[] | null
  readonly pixelRange: readonly [black: number, white: number] | null
  readonly latents: LatentScaling | null
  /** Null where it is not the parameters of a DiT, or has blocks that are not built. */
  readonly model: DiTConfig | null
  readonly assumptions: readonly string[]
  /** Whose training program wrote it and on which process; null where nothing tells. */
  readonly program: LayoutReport['program']
  readonly process: LayoutReport['process']
  /** What the network has that is not built here. */
  readonly needs: readonly string[]
  /** Objects and tensors of the file that are not read. */
  readonly unread: readonly string[]
  /** The first parameter with a value that is NaN or infinite; null where all are finite. */
  readonly nonFinite: string | null
  /** Why it cannot be loaded; null where it can. */
  readonly refusal: string | null
  /** Sizes of a network that cannot be loaded; null for others. */
  readonly sketch: DiTConfig | null
}

/** The part of a report that is told of any weights, also of those behind an address. */
export type ToldFile = Omit<FileReport, 'format' | 'model' | 'assumptions' | 'needs' | 'refusal' | 'sketch'>

/**
 * Reads names and shapes of a file, or of the weights in a folder of diffusers.
 *
 * @throws SafetensorsError, TorchError or ShardsError when it is damaged, hostile or something else
 */
export async function reportFile(path: string): Promise<FileReport> {
  const place = await locateWeights(path)
  const { file, format, which, hints, saved, metadata, unread, close } = await openRaw(place.file)
  try {
    const entries = [...file.entries]
    const options: ReadLayoutOptions = { hints, saved }
    const report = reportLayout(file, place.config === null ? options : { ...options, diffusersConfig: place.config })
    const { weights, sketch, program, process, needs, refusal } = report
    const tensors = entries.map(([name, { dtype, shape }]) => ({ name, dtype, shape }))
    return {
      path: place.file,
      format,
      layout: weights?.layout ?? null,
      which,
      values: entries.reduce((total, [, { shape }]) => total + sizeOf(shape), 0),
      bytes: storedBytes(tensors),
      tensors,
      metadata,
      classNames: weights?.classNames ?? null,
      pixelRange: weights?.pixelRange ?? null,
      latents: weights?.latents ?? null,
      model: weights?.config ?? null,
      assumptions: weights?.assumptions ?? [],
      program,
      process,
      needs,
      unread,
      nonFinite: weights === null ? null : await firstNonFiniteOf(weights),
      refusal: refusal ?? (weights === null ? null : await untied(weights)),
      sketch: sketch?.config ?? null,
    }
  } finally {
    await close()
  }
}

/** The first parameter that is not finite all through. */
async function firstNonFiniteOf(weights: ModelWeights): Promise<string | null> {
  for (const name of weights.entries.keys()) {
    const values = await weights.float32(name).catch(() => null)
    if (values !== null && firstNonFinite(values) >= 0) return name
  }
  return null
}

/** Why the embedders of a diffusers file are not one; null where they are. */
async function untied(weights: ModelWeights): Promise<string | null> {
  try {
    await checkTied(weights)
    return null
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}

interface RawFile extends Pick<FileReport, 'format' | 'which' | 'metadata' | 'unread'> {
  readonly file: TensorFile
  readonly hints: ConfigHints
  readonly saved: SavedArguments
  readonly close: () => Promise<void>
}

async function openRaw(path: string): Promise<RawFile> {
  const plain = { which: null, hints: {}, saved: new Map(), metadata: {}, unread: [] }
  if ((await sniffFile(path)) === 'torch') {
    const torch = await openTorchFile(path)
    return {
      ...plain,
      format: 'torch',
      ...chooseStateDict(torch),
      unread: torch.placeholders,
      close: () => torch.close(),
    }
  }
  if (path.endsWith('.json')) {
    const shards = await openShardsFile(path).catch((error: unknown) => {
      if (!(error instanceof ShardsError)) throw error
      throw new UsageError(`${path} is not a weights file or a valid index of one (${error.message})`, { cause: error })
    })
    return { ...plain, format: 'shards', file: shards, close: () => shards.close() }
  }
  const file = await openSafetensorsFile(path)
  const unread = [...file.foreign].map(([name, { dtype }]) => `${name} (${dtype})`)
  return { ...plain, format: 'safetensors', file, unread, metadata: { ...file.metadata }, close: () => file.close() }
}

/** Bytes of tensors as their file stores them. */
export function storedBytes(tensors: readonly TensorReport[]): number {
  return tensors.reduce((total, { dtype, shape }) => total + sizeOf(shape) * dtypeBytes(dtype), 0)
}

export function fileLines(report: ToldFile): string[] {
  const { path, values, bytes, tensors, metadata, layout, which, program, process } = report
  const { classNames, pixelRange, latents, unread, nonFinite } = report
  const kinds = [...new Set(tensors.map(({ dtype }) => dtype))].join(', ')
  // What dit writes is told in words.
  const others = Object.entries(metadata).filter(([key]) => !key.startsWith('dit.'))
  const notes = others.map(([key, value]) => `${key} ${value}`)
  return formatTable([
    ['file', path],
    ['', `${formatCount(tensors.length)} tensors of ${kinds}; ${formatCount(values)} values, ${formatBytes(bytes)}`],
    ...(isAdapter(report)
      ? [['', `low-rank adapters (LoRA): ${metadata['dit.lora'] ?? 'the file does not say which'}`]]
      : []),
    ...(which === null
      ? []
      : [['', `the ${which === 'ema' ? 'averaged (EMA)' : 'trained'} weights of a training state`]]),
    ...(layout === 'diffusers' ? [['', 'tensor names of diffusers']] : []),
    ...(program === null ? [] : [['', `written by the training program of ${program}`]]),
    ...(process === null ? [] : [['', processText(process)]]),
    ...(classNames === null ? [] : [['', `classes: ${classText(classNames)}`]]),
    ...(pixelRange === null ? [] : [['', `pixels: black is ${pixelRange[0]}, white is ${pixelRange[1]}`]]),
    ...(latents === null ? [] : [['', `latents: ${latentText(latents)}`]]),
    ...(unread.length === 0
      ? []
      : [
          [
            '',
            `not read: ${unread.slice(0, 8).join(', ')}${unread.length > 8 ? ` and ${unread.length - 8} more` : ''}`,
          ],
        ]),
    ...(nonFinite === null ? [] : [['', `${nonFinite} holds values that are NaN or infinite: no picture can be made`]]),
    ...(notes.length === 0 ? [] : [['', `metadata: ${notes.join(', ')}`]]),
  ])
}

/** Whether a file holds low-rank adapters, for other weights. */
export function isAdapter({ tensors }: Pick<FileReport, 'tensors'>): boolean {
  return tensors.some(({ name }) => isAdapterName(name))
}

/** The process in words, with what is wrong with it. */
function processText(process: NonNullable<FileReport['process']>): string {
  const text = `trained as ${describeProcess(process)}`
  try {
    completeProcess(process as ProcessSpec)
    return text
  } catch (error) {
    return `${text}. This process is broken: ${messageOf(error)}`
  }
}

/** Classes that are listed. */
const LISTED = 10

function classText(names: readonly string[]): string {
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : ''
  return `${names.slice(0, LISTED).join(', ')}${more}`
}

/** How the latents of the network follow from those of the autoencoder. */
function latentText({ scale, mean = 0, deviation = 1 }: LatentScaling): string {
  const told = (value: number | readonly number[]) =>
    typeof value === 'number' ? formatNumber(value) : `[${value.map(formatNumber).join(', ')}]`
  const shifted = mean === 0 ? 'those of the autoencoder' : `those of the autoencoder minus ${told(mean)}`
  const divided = deviation === 1 ? '' : `, divided by ${told(deviation)}`
  return `${shifted}${divided}${scale === 1 ? '' : `, times ${formatNumber(scale)}`}`
}

export function tensorLines(tensors: readonly TensorReport[]): string[] {
  const rows = tensors.map(({ name, dtype, shape }) => [
    name,
    dtype,
    `[${shape.join(', ')}]`,
    formatCount(sizeOf(shape)),
  ])
  return formatTable([['tensor', 'dtype', 'shape', 'values'], ...rows], [false, false, false, true])
}

/** Bytes of one element, by the digits in the dtype's name. */
function dtypeBytes(dtype: string): number {
  return dtype === 'BOOL' ? 1 : Number(/\d+/.exec(dtype)?.[0]) / 8
}
