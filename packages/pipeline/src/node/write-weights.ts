import { mkdir, rm, stat } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import type { TensorFile } from '@dit/checkpoint'
import {
  type TensorToWrite,
  writeShards,
  writeTorchFile,
  writeWholeFile,
  type WrittenShard,
} from '@dit/checkpoint/node'
import { type Description, descriptionMetadata, toDiffusers } from '@dit/model'
import type { ProcessSpec } from '@dit/diffusion'
import { diffusersConfigOf } from '@dit/sampler'
import { OWN_NAMES } from '../open/open-tree.js'
import { OpenError } from '../option-error.js'
import { isPixelModel } from '../pictures/pixel-model.js'
import { cast, type DTypeName, DTYPES, STORED } from './cast.js'
import { isCheckpoint, isRun } from './open-run.js'
import { removeOthers } from './remove-others.js'

/** A file is in the way of one that is to be written. */
export class ExistsError extends OpenError {
  constructor(path: string) {
    super(path, 'it already exists; `force` overwrites it')
  }
}

/** What diffusers calls the weights in a folder. */
const DIFFUSERS_FILE = 'diffusion_pytorch_model.safetensors'

/** Names of torch's files. */
const TORCH = ['.pt', '.pth']

/** Where weights go: safetensors or torch's format under the official names, or a folder for diffusers. */
export interface WeightsTarget {
  readonly kind: 'safetensors' | 'torch' | 'diffusers'
  /** As the user gave it. */
  readonly path: string
  /** Of the weights, if they are one file. */
  readonly file: string
}

/** Options of `writeWeights`. */
export interface WriteWeightsOptions {
  /** As stored where absent. */
  readonly dtype?: DTypeName
  /** Bytes of a file of safetensors at most; one file where absent. */
  readonly shardBytes?: number
  /** Called before each tensor is written. */
  readonly onTensor?: (done: number, total: number) => void
}

/**
 * Where weights are to be written, told by the name.
 *
 * @param overwrites whether what is there may be replaced
 * @throws OpenError where it is neither a kind of file that is written here nor a folder, or something is there
 */
export async function findWeightsTarget(path: string, overwrites: boolean): Promise<WeightsTarget> {
  const found = await stat(path).catch(() => null)
  const extension = extname(path).toLowerCase()
  const isFolder = found?.isDirectory() === true || !/\.[a-z]\w*$/i.test(path)
  const kind = isFolder ? 'diffusers' : TORCH.includes(extension) ? 'torch' : 'safetensors'
  if (kind === 'safetensors' && extension !== '.safetensors') {
    throw new OpenError(
      path,
      'its name must end in .safetensors or .pt, or be that of a folder, which diffusers reads (ONNX files are written by `dit export`)',
    )
  }
  const file = isFolder ? join(path, DIFFUSERS_FILE) : path
  if (isFolder && (isCheckpoint(path) || (await isRun(path)))) {
    throw new OpenError(path, 'it is a run of dit train, which would be destroyed; give another folder')
  }
  const beside = isFolder ? [join(path, 'config.json')] : []
  for (const taken of kind === 'torch' ? [file] : [file, `${file}.index.json`, ...beside]) {
    if (!overwrites && (await stat(taken).catch(() => null)) !== null) {
      throw new ExistsError(taken)
    }
  }
  return { kind, path, file }
}

/**
 * Writes weights, one tensor at a time, with their description: under the official names, in the metadata of safetensors or beside the
 * pickle of a `.pt` file; or as a folder that diffusers' `DiTTransformer2DModel.from_pretrained` reads, with the class names in its
 * `config.json` and, where diffusers has one for the process, a `scheduler/`.
 *
 * @param weights under the official names
 * @returns the files of weights
 * @throws OpenError where diffusers' class cannot be this model; RangeError for values that do not fit the dtype
 */
export async function writeWeights(
  { kind, path, file }: WeightsTarget,
  weights: TensorFile,
  description: Description,
  options: WriteWeightsOptions = {},
): Promise<WrittenShard[]> {
  const { dtype } = options
  if (dtype !== undefined && !DTYPES.includes(dtype)) {
    throw new RangeError(`writeWeights: dtype must be ${DTYPES.join(', ')} (got ${JSON.stringify(dtype)})`)
  }
  const metadata = descriptionMetadata(description)
  if (kind === 'torch') {
    await mkdir(dirname(file), { recursive: true })
    return [{ path: file, ...(await writeTorchFile(file, tensorsOf(weights, options), { sync: true, metadata })) }]
  }
  if (kind === 'safetensors') return writeSafetensors(file, weights, metadata, options)
  const theirs = await toDiffusers({ ...weights, config: description.network }).catch((cause: unknown) => {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause
    throw new OpenError(path, cause.message, { cause })
  })
  const written = await writeSafetensors(file, theirs, metadata, options)
  await writeFolderFiles(path, theirs.diffusersConfig, description)
  return written
}

/** The files beside the weights in a folder of diffusers. */
async function writeFolderFiles(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  { classNames, process, network }: Description,
): Promise<void> {
  const names = classNames === null ? {} : { [OWN_NAMES]: Object.fromEntries(classNames.entries()) }
  await writeJson(join(folder, 'config.json'), { ...config, ...names })
  const clips = isPixelModel(network)
  const scheduler = process === null ? null : diffusersConfigOf(process as ProcessSpec, { clips })
  const path = join(folder, 'scheduler', 'scheduler_config.json')
  // One that was there belonged to other weights.
  if (scheduler === null) await rm(path, { force: true })
  else await writeJson(path, scheduler)
}

async function writeJson(path: string, json: object): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const text = new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`)
  await writeWholeFile(path, true, (append) => append(text))
}

async function writeSafetensors(
  path: string,
  file: TensorFile,
  metadata: Readonly<Record<string, string>>,
  options: WriteWeightsOptions,
): Promise<WrittenShard[]> {
  await mkdir(dirname(path), { recursive: true })
  const written = await writeShards(path, tensorsOf(file, options), {
    maxBytes: options.shardBytes ?? Number.MAX_SAFE_INTEGER,
    metadata,
    sync: true,
  })
  await removeOthers(path, written)
  return written
}

function tensorsOf(file: TensorFile, { dtype, onTensor = () => {} }: WriteWeightsOptions): Map<string, TensorToWrite> {
  let done = 0
  const tensors = [...file.entries].map(([name, spec]) => {
    const data = async () => {
      onTensor(done++, file.entries.size)
      const array = await file.tensor(name)
      return (dtype === undefined ? array : cast(name, array, dtype)).data
    }
    return [name, { dtype: dtype === undefined ? spec.dtype : STORED[dtype], shape: spec.shape, data }] as const
  })
  return new Map(tensors)
}
