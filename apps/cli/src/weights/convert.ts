import { mkdir, stat } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import type { TensorFile } from '@dit/checkpoint'
import { type TensorToWrite, writeShards, writeTorchFile, type WrittenShard } from '@dit/checkpoint/node'
import { descriptionMetadata, type ModelWeights, toDiffusers } from '@dit/model'
import { writeWhole } from '../run/write-whole.js'
import { UsageError } from '../terminal/errors.js'
import { cast, type DTypeName, STORED } from './cast.js'
import { removeOthers } from './remove-others.js'

/** What diffusers calls the weights in a folder. */
const DIFFUSERS_FILE = 'diffusion_pytorch_model.safetensors'

/** Names of torch's files. */
const TORCH = ['.pt', '.pth']

/** Where weights go: safetensors or torch's format under the official names, or a folder for diffusers. */
export interface Target {
  readonly kind: 'safetensors' | 'torch' | 'diffusers'
  /** As the user gave it. */
  readonly path: string
  /** Of the weights, if they are one file. */
  readonly file: string
}

export interface ConvertOptions {
  /** As stored where absent. */
  readonly dtype?: DTypeName
  /** Bytes of a file at most; one file where absent. */
  readonly shardBytes?: number
  /** Called before each tensor is written. */
  readonly onTensor?: (done: number, total: number) => void
}

/**
 * Where weights are to be written, told by the name.
 *
 * @throws UsageError where it is neither a kind of file that is written here nor a folder, or something is there
 */
export async function findTarget(path: string, isForced: boolean): Promise<Target> {
  const found = await stat(path).catch(() => null)
  const extension = extname(path).toLowerCase()
  const isFolder = found?.isDirectory() === true || !/\.[a-z]\w*$/i.test(path)
  const kind = isFolder ? 'diffusers' : TORCH.includes(extension) ? 'torch' : 'safetensors'
  if (kind === 'safetensors' && extension !== '.safetensors') {
    throw new UsageError(
      `${path}: it must end in .safetensors or .pt (official names), or be a folder (diffusers' names)`,
    )
  }
  const file = isFolder ? join(path, DIFFUSERS_FILE) : path
  for (const taken of kind === 'torch' ? [file] : [file, `${file}.index.json`]) {
    if (!isForced && (await stat(taken).catch(() => null)) !== null) {
      throw new UsageError(`${taken} exists already; --force overwrites it`)
    }
  }
  return { kind, path, file }
}

/**
 * Writes weights, one tensor at a time: under the official names, where safetensors keep the configuration and the process in their
 * metadata; or as a folder that diffusers' `DiTTransformer2DModel.from_pretrained` reads.
 *
 * @returns the files of weights
 * @throws UsageError where diffusers' class cannot be this model
 */
export async function writeWeights(
  { kind, path, file }: Target,
  weights: ModelWeights,
  options: ConvertOptions,
): Promise<WrittenShard[]> {
  if (kind === 'torch') {
    await mkdir(dirname(file), { recursive: true })
    return [{ path: file, ...(await writeTorchFile(file, tensorsOf(weights, options), { sync: true })) }]
  }
  if (kind === 'safetensors') return writeSafetensors(file, weights, weights, options)
  const theirs = await toDiffusers(weights).catch((cause: unknown) => {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause
    throw new UsageError(cause.message, { cause })
  })
  const written = await writeSafetensors(file, theirs, weights, options)
  await writeWhole(join(path, 'config.json'), `${JSON.stringify(theirs.diffusersConfig, null, 2)}\n`)
  return written
}

async function writeSafetensors(
  path: string,
  file: TensorFile,
  { config, process, program }: ModelWeights,
  options: ConvertOptions,
): Promise<WrittenShard[]> {
  await mkdir(dirname(path), { recursive: true })
  const written = await writeShards(path, tensorsOf(file, options), {
    maxBytes: options.shardBytes ?? Number.MAX_SAFE_INTEGER,
    metadata: descriptionMetadata({ network: config, process, program }),
    sync: true,
  })
  await removeOthers(path, written)
  return written
}

function tensorsOf(file: TensorFile, { dtype, onTensor = () => {} }: ConvertOptions): Map<string, TensorToWrite> {
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
