import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { RunLockedError } from '../events.js'

export const LOCK = 'lock.json'

/** Locks that this very process holds: a process number alone may be that of an earlier one. */
const held = new Set<string>()

interface Owner {
  readonly pid: number
  readonly host: string
}

/**
 * Makes this process the only one that writes to a run. A lock whose process is gone (killed, or a power cut) is taken over.
 *
 * @returns what gives the lock back
 * @throws RunLockedError while its process is alive, or where it is of another machine
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK)
  await mkdir(folder, { recursive: true })
  for (;;) {
    if (await create(path)) {
      held.add(path)
      return async () => {
        held.delete(path)
        await rm(path, { force: true })
      }
    }
    const owner = await readOwner(path)
    if (owner !== null && isAtWork(owner, path)) {
      throw new RunLockedError(
        `process ${owner.pid} on ${owner.host} is already writing to ${folder}; if it no longer runs, remove ${path}`,
      )
    }
    await rm(path, { force: true })
  }
}

async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    try {
      await file.writeFile(JSON.stringify({ pid: process.pid, host: hostname() } satisfies Owner))
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Null where the lock is gone by now, or was cut short by a crash. */
async function readOwner(path: string): Promise<Owner | null> {
  try {
    const owner = JSON.parse(await readFile(path, 'utf8')) as Partial<Owner>
    return typeof owner.pid === 'number' && typeof owner.host === 'string' ? (owner as Owner) : null
  } catch {
    return null
  }
}

function isAtWork({ pid, host }: Owner, path: string): boolean {
  if (host !== hostname()) return true
  if (pid === process.pid) return held.has(path)
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
