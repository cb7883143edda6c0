import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { VaeConfig } from '@dit/vae'
import { writeWhole } from './write-whole.js'
import { UsageError } from '../terminal/errors.js'

export const LATENTS_FORMAT = 'dit-latents-1'
export const LATENTS_FILE = 'latents.json'

export type LatentsDType = (typeof LATENTS_DTYPES)[number]

const LATENTS_DTYPES = ['F32', 'F16', 'BF16'] as const

/** A file of latents that is whole. */
export interface LatentShard {
  readonly file: string
  /** Pictures in it. */
  readonly count: number
  readonly bytes: number
  readonly sha256: string
}

/** `latents.json`: what a folder of latents holds, and from what it was made. */
export interface LatentsManifest {
  readonly format: typeof LATENTS_FORMAT
  /** The autoencoder; its factor and shift scale the latents when they are read. */
  readonly vae: VaeConfig
  /** SHA-256 over the parameters of the autoencoder. */
  readonly vaeWeights: string
  /** Side of the pictures. */
  readonly size: number
  /** `[C, h, w]` of a picture's latents. */
  readonly shape: readonly [number, number, number]
  /** Class names; a label is an index into them. */
  readonly classes: readonly string[]
  /** Pictures in all. */
  readonly length: number
  /** Whether the mirrored pictures are there, too. */
  readonly flips: boolean
  /** Type of the numbers: float32, or half precision for half the bytes. */
  readonly dtype: LatentsDType
  /** What transparent pictures were put on; null where alpha was dropped. Absent for shapes, and where there was no choice yet. */
  readonly background?: string | null
  /** SHA-256 over the names and sizes of the pictures' files, in order. */
  readonly files: string
  /** Pictures of a shard; the last one may have fewer. */
  readonly shardSize: number
  /** Those that are done: all, once their counts add up to `length`. */
  readonly shards: readonly LatentShard[]
}

/** Name of shard `index`. */
export function shardName(index: number): string {
  return `latents-${String(index).padStart(5, '0')}.safetensors`
}

/** Whether every picture is in a shard. */
export function isComplete({ length, shards }: LatentsManifest): boolean {
  return shards.reduce((total, { count }) => total + count, 0) === length
}

export async function writeManifest(folder: string, manifest: LatentsManifest): Promise<void> {
  await writeWhole(join(folder, LATENTS_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
}

/**
 * The manifest of a folder, or null where it has none.
 *
 * @throws UsageError when it is not one that this version writes
 */
export async function readManifest(folder: string): Promise<LatentsManifest | null> {
  const path = join(folder, LATENTS_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    return null
  }
  let manifest: LatentsManifest
  try {
    manifest = JSON.parse(text) as LatentsManifest
    // Folders made before there was a choice hold float32, and do not say so.
    if (manifest !== null && manifest.dtype === undefined) manifest = { ...manifest, dtype: 'F32' }
  } catch (cause) {
    throw new UsageError(`${path} is not valid JSON: ${(cause as Error).message}`, { cause })
  }
  const isRight =
    manifest?.format === LATENTS_FORMAT &&
    [manifest.size, manifest.length, manifest.shardSize].every((count) => Number.isSafeInteger(count) && count > 0) &&
    Array.isArray(manifest.shape) &&
    manifest.shape.length === 3 &&
    manifest.shape.every((extent) => Number.isSafeInteger(extent) && extent > 0) &&
    Array.isArray(manifest.classes) &&
    manifest.classes.every((name) => typeof name === 'string') &&
    typeof manifest.flips === 'boolean' &&
    LATENTS_DTYPES.includes(manifest.dtype) &&
    ['undefined', 'string', 'object'].includes(typeof manifest.background) &&
    typeof manifest.files === 'string' &&
    Array.isArray(manifest.shards) &&
    manifest.shards.every(isShard) &&
    typeof manifest.vae?.scalingFactor === 'number' &&
    typeof manifest.vae.shiftFactor === 'number'
  if (!isRight)
    throw new UsageError(
      `${path} does not describe latents in the format "${LATENTS_FORMAT}"; encode them again with \`dit encode\``,
    )
  return manifest
}

function isShard(shard: LatentShard | null, index: number): boolean {
  // The name is fixed, so that a manifest leads to no other folder.
  return shard?.file === shardName(index) && Number.isSafeInteger(shard.count) && Number.isSafeInteger(shard.bytes)
}
