import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TensorFile } from '@dit/checkpoint'
import { writeSafetensorsFile, type WrittenFile } from '@dit/checkpoint/node'
import { configMetadata, type DiTConfig, type ModelWeights, toDiffusers } from '@dit/model'
import { writeWhole } from '../run/write-whole.js'
import { checkInput, UsageError } from '../terminal/errors.js'
import { cast, type DTypeName, STORED } from './cast.js'

/** What diffusers calls the weights in a folder. */
const DIFFUSERS_FILE = 'diffusion_pytorch_model.safetensors'

export interface ConvertOptions {
  /** As stored where absent. */
  readonly dtype?: DTypeName
  /** Called before each tensor is written. */
  readonly onTensor?: (done: number, total: number) => void
}

/**
 * Where weights are to be written: a `.safetensors` file has the official names, a folder those of diffusers.
 *
 * @throws UsageError where that is neither, or something is there
 */
export async function checkTarget(path: string, isForced: boolean): Promise<'file' | 'folder'> {
  const found = await stat(path).catch(() => null)
  const kind = found?.isDirectory() === true || !/\.\w+$/.test(path) ? 'folder' : 'file'
  if (kind === 'file' && !path.endsWith('.safetensors')) {
    throw new UsageError(`${path}: it must end in .safetensors (official names), or be a folder (diffusers' names)`)
  }
  const file = kind === 'file' ? path : join(path, DIFFUSERS_FILE)
  if (!isForced && (await stat(file).catch(() => null)) !== null) {
    throw new UsageError(`${file} exists already; --force overwrites it`)
  }
  return kind
}

/** Writes weights under the official names, one tensor at a time, with their configuration in the metadata. */
export async function writeOfficial(
  path: string,
  weights: ModelWeights,
  options: ConvertOptions,
): Promise<WrittenFile> {
  await mkdir(dirname(path), { recursive: true })
  return write(path, weights, weights.config, options)
}

/**
 * Writes weights as a folder that diffusers' `DiTTransformer2DModel.from_pretrained` reads.
 *
 * @throws UsageError where that class cannot be this model
 */
export async function writeDiffusers(
  folder: string,
  weights: ModelWeights,
  options: ConvertOptions,
): Promise<WrittenFile> {
  const theirs = await toDiffusers(weights).catch((error: unknown) =>
    checkInput((): never => {
      throw error
    }),
  )
  await mkdir(folder, { recursive: true })
  const written = await write(join(folder, DIFFUSERS_FILE), theirs, weights.config, options)
  await writeWhole(join(folder, 'config.json'), `${JSON.stringify(theirs.diffusersConfig, null, 2)}\n`)
  return written
}

async function write(
  path: string,
  file: TensorFile,
  config: DiTConfig,
  { dtype, onTensor = () => {} }: ConvertOptions,
): Promise<WrittenFile> {
  let done = 0
  const tensors = [...file.entries].map(([name, spec]) => {
    const data = async () => {
      onTensor(done++, file.entries.size)
      const array = await file.tensor(name)
      return (dtype === undefined ? array : cast(name, array, dtype)).data
    }
    return [name, { dtype: dtype === undefined ? spec.dtype : STORED[dtype], shape: spec.shape, data }] as const
  })
  return writeSafetensorsFile(path, new Map(tensors), { metadata: configMetadata(config), sync: true })
}
