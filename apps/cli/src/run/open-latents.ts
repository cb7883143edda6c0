import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { bfloat16ToFloat32, float16ToFloat32 } from '@dit/checkpoint'
import { openSafetensorsFile, openFileSource, type FileSource } from '@dit/checkpoint/node'
import type { Batch, Dataset, ReadOptions } from '@dit/data'
import type { DataConfig } from './run-config.js'
import { UsageError } from '../terminal/errors.js'
import { isComplete, LATENTS_FILE, type LatentsManifest, readManifest } from './manifest.js'

/** Latents as examples: `[2 C, h, w]`, the mean of each and then its deviation, both scaled. */
export interface OpenLatents {
  readonly dataset: Dataset
  readonly config: Extract<DataConfig, { kind: 'latents' }>
  close(): Promise<void>
}

/**
 * The manifest of a folder that `dit encode` has finished.
 *
 * @throws UsageError when it is none, or not whole
 */
export async function findLatents(folder: string): Promise<LatentsManifest> {
  const manifest = await readManifest(folder)
  if (manifest === null) {
    throw new UsageError(`--latents ${folder}: the folder has no ${LATENTS_FILE}; encode latents with \`dit encode\``)
  }
  if (!isComplete(manifest)) {
    throw new UsageError(
      `--latents ${folder}: encoding is not finished (${manifest.shards.length} files so far); repeat its \`dit encode\` command`,
    )
  }
  const [, height, width] = manifest.shape
  if (height !== width) throw new UsageError(`--latents ${folder}: latents must be square (got ${height}x${width})`)
  return manifest
}

/**
 * Opens latents to train on. Examples are read from their files when they are asked for.
 *
 * @throws UsageError when the folder cannot serve
 */
export async function openLatents(folder: string, flip: boolean): Promise<OpenLatents> {
  const manifest = await findLatents(folder)
  if (flip && !manifest.flips) {
    throw new UsageError(`--latents ${folder}: the pictures were encoded without mirror images; give --no-flip`)
  }
  const shards = await Promise.all(manifest.shards.map((shard, i) => openShard(folder, manifest, i, shard.bytes)))
  const closeAll = async () => void (await Promise.all(shards.map(({ source }) => source.close())))
  const [channels, size] = manifest.shape
  const files = createHash('sha256')
    .update(await readFile(join(folder, LATENTS_FILE)))
    .digest('hex')
  return {
    dataset: latentsDataset(manifest, shards),
    config: { kind: 'latents', folder: resolve(folder), size, channels, length: manifest.length, files },
    close: closeAll,
  }
}

/** A file of latents, and where its tensors begin in bytes. */
interface Shard {
  readonly source: FileSource
  readonly first: number
  readonly labels: Int32Array
  readonly offsets: ReadonlyMap<string, number>
}

async function openShard(folder: string, manifest: LatentsManifest, index: number, bytes: number): Promise<Shard> {
  const { file, count } = manifest.shards[index]
  const path = join(folder, file)
  const found = await stat(path).catch(() => null)
  if (found?.size !== bytes) {
    throw new UsageError(
      `--latents ${folder}: ${file} ${found === null ? 'is missing' : 'has changed its size since it was written'}; repeat the \`dit encode\` command to check the folder`,
    )
  }
  const opened = await openSafetensorsFile(path)
  try {
    const labels = (await opened.tensor('labels')).data as Int32Array
    const offsets = new Map([...opened.entries].map(([name, { byteOffset }]) => [name, byteOffset]))
    const names = ['mean', 'log_variance'].flatMap((name) => (manifest.flips ? [name, `${name}_flipped`] : [name]))
    const shape = JSON.stringify([count, ...manifest.shape])
    const isRight =
      labels.length === count &&
      labels.every((label) => label >= 0 && label < manifest.classes.length) &&
      names.every((name) => {
        const entry = opened.entries.get(name)
        return entry?.dtype === manifest.dtype && JSON.stringify(entry.shape) === shape
      })
    if (!isRight) throw new UsageError(`--latents ${folder}: ${file} does not hold what ${LATENTS_FILE} says`)
    const first = manifest.shards.slice(0, index).reduce((total, shard) => total + shard.count, 0)
    return { source: await openFileSource(path), first, labels, offsets }
  } finally {
    await opened.close()
  }
}

function latentsDataset({ vae, shape, classes, length, dtype }: LatentsManifest, shards: readonly Shard[]): Dataset {
  const [C, h, w] = shape
  const size = C * h * w
  const { scalingFactor, shiftFactor, latentsMean, latentsStd } = vae
  const channels = Array.from({ length: C }, (_, c) => ({
    shift: latentsMean?.[c] ?? shiftFactor,
    factor: scalingFactor / (latentsStd?.[c] ?? 1),
  }))
  const row = async (shard: Shard, name: string, at: number): Promise<Float32Array> => {
    const rowBytes = size * (dtype === 'F32' ? 4 : 2)
    const start = shard.offsets.get(name)! + rowBytes * at
    const { buffer } = (await shard.source.read(start, start + rowBytes)).slice()
    if (dtype === 'F32') return new Float32Array(buffer)
    return (dtype === 'F16' ? float16ToFloat32 : bfloat16ToFloat32)(new Uint16Array(buffer))
  }
  const read = async (indices: ArrayLike<number>, { flips, signal }: ReadOptions = {}): Promise<Batch> => {
    const x0 = new Float32Array(indices.length * 2 * size)
    const labels = new Int32Array(indices.length)
    await Promise.all(
      Array.from({ length: indices.length }, async (_, i) => {
        signal?.throwIfAborted()
        const shard = shards.findLast(({ first }) => first <= indices[i])!
        const at = indices[i] - shard.first
        const suffix = flips?.[i] ? '_flipped' : ''
        const [mean, logVariance] = await Promise.all([
          row(shard, `mean${suffix}`, at),
          row(shard, `log_variance${suffix}`, at),
        ])
        const to = x0.subarray(i * 2 * size, (i + 1) * 2 * size)
        for (let k = 0; k < size; k++) {
          const { shift, factor } = channels[Math.floor(k / (h * w))]
          to[k] = (mean[k] - shift) * factor
          to[size + k] = Math.exp(0.5 * logVariance[k]) * factor
        }
        labels[i] = shard.labels[at]
      }),
    )
    return { x0, labels }
  }
  const allLabels = () => Int32Array.from(shards.flatMap(({ labels }) => [...labels]))
  return { length, classes, shape: [2 * C, h, w], labels: allLabels, read }
}
