import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { BatchStep, Pictures, SampleBatch } from '@dit/pipeline'
import { nameFile } from '../run/named-errors.js'
import { writeWhole } from '../run/write-whole.js'
import { UsageError } from '../terminal/errors.js'
import { type ArrayFileOptions, openArrayFile } from './array-file.js'
import type { PictureSize, ShownPictures } from './shown-pictures.js'
import type { SinglePictures } from './single-pictures.js'

/** One output of sampling, written batch by batch. */
export interface SampleWriter {
  /** Writes what a batch is after a step. */
  addStep?(step: BatchStep): Promise<void>
  /** Writes a batch that is finished; pictures are null where the samples are none. */
  add?(batch: SampleBatch, pictures: Pictures | null): Promise<void>
  /** Waits until all that was written is on the disk. */
  sync(): Promise<void>
  /** Completes the output; a line about it. */
  finish(): Promise<string>
  /** Closes its files; harmless when repeated. */
  close(): Promise<void>
}

/** `[C, H, W]` */
type SampleShape = readonly [number, number, number]

/** Pictures as evaluators read them: uint8 `[N, H, W, 3]` named `arr_0`, and int64 labels `[N]` named `arr_1`. */
export async function npzWriter(
  path: string,
  { total, size }: { readonly total: number; readonly size: PictureSize },
  options: ArrayFileOptions,
): Promise<SampleWriter> {
  const file = await openArrayFile(
    path,
    { arr_0: { dtype: 'U8', shape: [total, size.height, size.width, 3] }, arr_1: { dtype: 'I64', shape: [total] } },
    options,
  )
  return {
    async add({ first, labels }, pictures) {
      await file.write('arr_0', first * size.height * size.width * 3, pictures!.pixels)
      await file.write('arr_1', first, BigInt64Array.from(labels, BigInt))
    },
    sync: file.sync,
    async finish() {
      await file.finish()
      return `npz    ${path}`
    },
    close: file.close,
  }
}

/** Samples as the model makes them: float32 `[N, C, H, W]` named `arr_0`. */
export async function latentsWriter(
  path: string,
  { total, shape }: { readonly total: number; readonly shape: SampleShape },
  options: ArrayFileOptions,
): Promise<SampleWriter> {
  const file = await openArrayFile(path, { arr_0: { dtype: 'F32', shape: [total, ...shape] } }, options)
  const sampleSize = shape[0] * shape[1] * shape[2]
  return {
    add: ({ first, samples }) => file.write('arr_0', first * sampleSize, samples),
    sync: file.sync,
    async finish() {
      await file.finish()
      return `latents ${path}`
    },
    close: file.close,
  }
}

/** Samples after every step: float32 `[steps, N, C, H, W]` named `arr_0`. The start is not among them. */
export async function trajectoryWriter(
  path: string,
  { total, shape, steps }: { readonly total: number; readonly shape: SampleShape; readonly steps: number },
  options: ArrayFileOptions,
): Promise<SampleWriter> {
  const file = await openArrayFile(path, { arr_0: { dtype: 'F32', shape: [steps, total, ...shape] } }, options)
  const sampleSize = shape[0] * shape[1] * shape[2]
  return {
    addStep: async ({ index, first, state }) =>
      file.write('arr_0', (index * total + first) * sampleSize, await state()),
    sync: file.sync,
    async finish() {
      await file.finish()
      return `states ${path}`
    },
    close: file.close,
  }
}

/** One PNG a picture. */
export function singlesWriter(folder: string, singles: SinglePictures, total: number): SampleWriter {
  return {
    add: ({ first }, pictures) => singles.write(pictures!, first),
    // They are checked before they are skipped.
    sync: async () => {},
    finish: async () => `files  ${total} in ${folder}`,
    close: async () => {},
  }
}

/**
 * The grid, which is drawn at the end. Its pictures are kept in a file until then.
 *
 * @param keptAt that file; null where nothing is kept
 * @throws UsageError where the file to go on with is gone
 */
export async function gridWriter(
  path: string,
  shown: ShownPictures,
  { keptAt, isResumed }: { readonly keptAt: string | null; readonly isResumed: boolean },
): Promise<SampleWriter> {
  const { pixels, plan } = shown
  const size = pixels.length / plan.count
  const kept = keptAt === null ? null : await openKept(keptAt, pixels, isResumed)
  return {
    async add({ first }, pictures) {
      for (const tile of shown.put(pictures!, first)) {
        const bytes = pixels.subarray(tile * size, (tile + 1) * size)
        for (let done = 0; kept !== null && done < size;) {
          done += (await kept.write(bytes, done, size - done, tile * size + done)).bytesWritten
        }
      }
    },
    sync: async () => kept?.datasync(),
    async finish() {
      await writeWhole(path, await shown.png())
      return `grid   ${path}${plan.text === null ? '' : ` (${plan.text})`}`
    },
    close: async () => kept?.close(),
  }
}

async function openKept(path: string, pixels: Uint8Array, isResumed: boolean): Promise<FileHandle> {
  // Windows knows no O_NOFOLLOW: it is absent there, which adds nothing.
  const { O_RDWR, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants
  const file = await open(path, O_RDWR | O_NOFOLLOW | (isResumed ? 0 : O_CREAT | O_TRUNC)).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw nameFile(cause, path)
    throw gone(path)
  })
  try {
    if (!isResumed) await file.truncate(pixels.length)
    else if ((await file.stat()).size !== pixels.length) throw gone(path)
    else for (let at = 0; at < pixels.length;) at += (await file.read(pixels, at, pixels.length - at, at)).bytesRead
    return file
  } catch (error) {
    await file.close()
    throw nameFile(error, path)
  }
}

function gone(path: string): UsageError {
  return new UsageError(
    `${path} of the samples that were begun is gone or damaged, so they cannot be continued; begin anew with --force`,
  )
}
