import { randomBytes } from 'node:crypto'
import { lstat, mkdir, mkdtemp, open, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { StoredArray, StoredSpec } from '@dit/checkpoint'
import { openNpzDraft, targetOf, writeWholeFile } from '@dit/checkpoint/node'
import { nameFile } from '../run/named-errors.js'
import { UsageError } from '../terminal/errors.js'

/** An npz that is written as samples are made. */
export interface ArrayFile {
  /** Puts elements of an array in their place, from element `at` on. */
  write(name: string, at: number, data: StoredArray['data']): Promise<void>
  readonly sync: () => Promise<void>
  /** Completes the file and puts it under its name. */
  finish(): Promise<void>
  /** Closes it; what is kept stays, all else is removed. Harmless when repeated. */
  readonly close: () => Promise<void>
}

export interface ArrayFileOptions {
  /** Whether a later command may go on with it; else nothing is left when it is closed unfinished. */
  readonly isKept: boolean
  /** Go on with what an earlier command left: a draft, or, where all is written, the file itself. */
  readonly resume: 'no' | 'draft' | 'all'
}

/** Where an npz is while it is written: `samples.npz.unfinished`, beside the file that a link leads to. */
export async function draftPath(target: string): Promise<string> {
  return `${await targetOf(target)}.unfinished`
}

/** Whether bytes of this path go into a device or a pipe. */
export async function isDevice(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found !== null && !found.isFile() && !found.isDirectory()
}

/**
 * Checks that nothing lies where an npz is to be written first.
 *
 * @throws UsageError that names what does
 */
export async function checkDraftFree(flag: string, target: string): Promise<void> {
  const path = await draftPath(target)
  if (!(await exists(path))) return
  throw new UsageError(
    `${flag} ${target}: ${path} is in the way, left by another command or by somebody else; move it away, or give another name`,
  )
}

/**
 * Opens an npz to be written piece by piece.
 *
 * @throws UsageError where the draft to go on with is not there
 * @throws Error of the operating system that names the file
 */
export async function openArrayFile(
  target: string,
  arrays: Readonly<Record<string, StoredSpec>>,
  { isKept, resume }: ArrayFileOptions,
): Promise<ArrayFile> {
  const real = await targetOf(target)
  const scratch = (await isDevice(target)) ? await mkdtemp(join(tmpdir(), 'dit-sample-')) : null
  const partial = isKept ? await draftPath(target) : `${real}.${randomBytes(6).toString('hex')}.partial`
  const path = scratch === null ? partial : join(scratch, 'samples.npz')
  if (resume === 'all' && !(await exists(path)) && (await exists(real))) return FINISHED
  if (scratch === null) await mkdir(dirname(real), { recursive: true })
  const named = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw nameFile(error, path)
    }
  }
  const draft = await named(
    openNpzDraft(path, arrays, { resume: resume !== 'no' }).catch((cause: unknown) => {
      const isGone = cause instanceof RangeError || (cause as NodeJS.ErrnoException).code === 'ENOENT'
      if (resume === 'no' || !isGone) throw cause
      throw new UsageError(
        `${path} of the samples that were begun is gone or damaged, so they cannot be continued; begin anew with --force`,
        { cause },
      )
    }),
  )
  let isFinished = false
  return {
    write: (name, at, data) => named(draft.write(name, at, data)),
    sync: () => named(draft.sync()),
    async finish() {
      await named(draft.finish())
      if (scratch === null) await named(rename(path, real))
      else await copyInto(target, path)
      isFinished = scratch === null
    },
    async close() {
      await draft.close()
      if (isFinished || (isKept && scratch === null)) return
      await rm(scratch ?? path, { recursive: true, force: true })
    },
  }
}

/** One that an earlier command has put under its name. */
const FINISHED: ArrayFile = {
  write: async () => {},
  sync: async () => {},
  finish: async () => {},
  close: async () => {},
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null
}

/** Puts a file into a device or a pipe. */
async function copyInto(target: string, path: string): Promise<void> {
  const file = await open(path, 'r')
  const chunk = new Uint8Array(2 ** 22)
  try {
    await writeWholeFile(target, false, async (append) => {
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, chunk.length)
        if (bytesRead === 0) return
        await append(chunk.subarray(0, bytesRead))
      }
    })
  } catch (error) {
    throw nameFile(error, target)
  } finally {
    await file.close()
  }
}
