import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type StoredArray, writeSafetensors } from '@dit/checkpoint'
import type { Dataset } from '@dit/data'
import type { OpenAutoencoder } from '@dit/pipeline'
import { cast, dtypeName } from '@dit/pipeline/node'
import { type Backend, dispose, tensor, toFloat32Array } from '@dit/tensor'
import { encodeTiled } from '@dit/vae'
import { writeWhole } from './write-whole.js'
import { Failure } from '../terminal/errors.js'
import { type LatentShard, type LatentsManifest, shardName, writeManifest } from './manifest.js'

export interface EncodeOptions {
  readonly folder: string
  readonly dataset: Dataset
  readonly vae: OpenAutoencoder
  readonly backend: Backend
  /** Pictures at a time. */
  readonly batchSize: number
  readonly signal: AbortSignal
  /** Called as pictures are done, of all. */
  readonly onProgress: (done: number) => void
}

/** The posteriors of a picture, plain and mirrored, by tensor. */
const PARTS = { mean: 'mean', logVariance: 'log_variance' } as const

/**
 * Encodes what is missing of a folder of latents, shard by shard. The manifest tells of a shard once it is on the disk, so
 * that work that was broken off goes on after the last whole one.
 *
 * @throws the signal's reason when stopped, between two batches
 */
export async function encodeFolder(begun: LatentsManifest, options: EncodeOptions): Promise<LatentsManifest> {
  const { folder, signal, onProgress } = options
  await mkdir(folder, { recursive: true })
  let manifest = begun
  let first = manifest.shards.reduce((total, { count }) => total + count, 0)
  await writeManifest(folder, manifest)
  onProgress(first)
  while (first < manifest.length) {
    const count = Math.min(manifest.shardSize, manifest.length - first)
    const bytes = await encodeShard(manifest, first, count, options)
    signal.throwIfAborted()
    const shard: LatentShard = { file: shardName(manifest.shards.length), count, ...digest(bytes) }
    await writeWhole(join(folder, shard.file), bytes)
    manifest = { ...manifest, shards: [...manifest.shards, shard] }
    await writeManifest(folder, manifest)
    first += count
  }
  return manifest
}

/**
 * Checks that the shards are those that were written.
 *
 * @throws Failure that names the first that is not
 */
export async function verifyShards(
  folder: string,
  { shards }: LatentsManifest,
  onShard: (done: number) => void,
): Promise<void> {
  for (const [i, { file, bytes, sha256 }] of shards.entries()) {
    const found = digest(await readFile(join(folder, file)))
    if (found.bytes !== bytes || found.sha256 !== sha256) {
      throw new Failure(
        `${join(folder, file)} has changed since it was written (its checksum differs). Remove the folder and encode again`,
      )
    }
    onShard(i + 1)
  }
}

/** Removes what a shard that was broken off may have left. */
export async function removePartial(folder: string, { shards }: LatentsManifest): Promise<void> {
  const begun = new RegExp(`^${shardName(shards.length)}\\.[0-9a-f]+\\.partial$`)
  for (const name of await readdir(folder)) if (begun.test(name)) await rm(join(folder, name), { force: true })
}

async function encodeShard(
  { shape, flips, dtype }: LatentsManifest,
  first: number,
  count: number,
  { dataset, vae, backend, batchSize, signal, onProgress }: EncodeOptions,
): Promise<Uint8Array> {
  const size = shape.reduce((product, extent) => product * extent, 1)
  const orientations = flips ? ['', '_flipped'] : ['']
  const arrays = Object.fromEntries(
    orientations.flatMap((suffix) =>
      Object.values(PARTS).map((part) => [`${part}${suffix}`, new Float32Array(count * size)] as const),
    ),
  )
  const labels = new Int32Array(count)
  for (let start = 0; start < count; start += batchSize) {
    const number = Math.min(batchSize, count - start)
    const indices = Array.from({ length: number }, (_, i) => first + start + i)
    for (const suffix of orientations) {
      signal.throwIfAborted()
      const isFlipped = Array<number>(number).fill(suffix === '' ? 0 : 1)
      const batch = await dataset.read(indices, { flips: isFlipped, signal })
      const images = tensor(batch.x0, [number, ...dataset.shape], { backend })
      const posterior = encodeTiled(vae.config, vae.params, images, { tileSize: tileOf(vae, dataset) })
      images.dispose()
      for (const [name, part] of Object.entries(PARTS) as [keyof typeof PARTS, string][]) {
        arrays[`${part}${suffix}`].set(await toFloat32Array(posterior[name]), start * size)
      }
      dispose(posterior)
      labels.set(batch.labels, start)
      await otherTasks()
    }
    onProgress(first + start + number)
  }
  const stored = Object.entries(arrays).map(([name, data]): [string, StoredArray] => [
    name,
    cast(name, { dtype: 'F32', shape: [count, ...shape], data }, dtypeName(dtype)),
  ])
  return writeSafetensors(new Map([...stored, ['labels', { dtype: 'I32', shape: [count], data: labels }]]))
}

/** Pictures up to 512 pixels in one piece, as training has them; larger ones in tiles. */
function tileOf({ config }: OpenAutoencoder, { shape: [, height, width] }: Dataset): number {
  const step = 4 * 2 ** (config.blockOutChannels.length - 1)
  const whole = Math.min(Math.max(height, width, step), Math.max(config.sampleSize, 512))
  return Math.ceil(whole / step) * step
}

function digest(bytes: Uint8Array): Pick<LatentShard, 'bytes' | 'sha256'> {
  return { bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Signals are heard between batches. */
function otherTasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
