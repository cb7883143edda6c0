import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { RunLockedError } from '../events.js'

export const LOCK = 'lock.json'

/** Locks that this very process holds, by their tokens: a process number alone may be that of an earlier one. */
const held = new Set<string>()

interface Owner {
  readonly pid: number
  readonly host: string
  /** Of this lock alone; absent in those of older versions. */
  readonly token?: string
}

/** Codes of file systems without hard links: there a lock is not put in its place as a whole. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** Milliseconds between two looks at a lock that somebody else is taking over. */
const PAUSE = 20

/**
 * Makes this process the only one that writes to a run. A lock whose process is gone (killed, or a power cut) is taken over, by one process
 * at a time.
 *
 * @returns what gives the lock back, and leaves alone one that somebody else has taken since
 * @throws RunLockedError while its process is alive, or where it is of another machine
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true })
  const path = join(await realpath(folder), LOCK)
  const owner: Owner = { pid: process.pid, host: hostname(), token: randomUUID() }
  for (;;) {
    if (await place(path, owner)) {
      held.add(owner.token!)
      return async () => {
        held.delete(owner.token!)
        if ((await readOwner(path))?.token === owner.token) await rm(path, { force: true })
      }
    }
    const other = await readOwner(path)
    if (other !== null && isAtWork(other)) {
      throw new RunLockedError(
        `process ${other.pid} on ${other.host} is already writing to ${folder}; if it no longer runs, remove ${path}`,
      )
    }
    await takeOver(path, owner)
  }
}

/** Removes a lock whose process is gone, unless somebody else is at it. */
async function takeOver(path: string, owner: Owner): Promise<void> {
  const guard = `${path}.takeover`
  if (!(await place(guard, owner))) {
    const other = await readOwner(guard)
    if (other === null || !isAlive(other)) await rm(guard, { force: true })
    else await new Promise((resume) => setTimeout(resume, PAUSE))
    return
  }
  try {
    // Read once more: it may be a new one by now.
    const now = await readOwner(path)
    if (now === null || !isAtWork(now)) await rm(path, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

/** Puts a lock in its place as a whole, so that nobody reads a part of it; false where there is one. */
async function place(path: string, owner: Owner): Promise<boolean> {
  const whole = `${path}.${owner.token}`
  try {
    await writeFile(whole, JSON.stringify(owner), { flag: 'wx' })
    await link(whole, path).catch(async (error: unknown) => {
      if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      await writeFile(path, JSON.stringify(owner), { flag: 'wx' })
    })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(whole, { force: true })
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

function isAtWork(owner: Owner): boolean {
  if (owner.host === hostname() && owner.pid === process.pid) return owner.token !== undefined && held.has(owner.token)
  return isAlive(owner)
}

function isAlive({ pid, host }: Owner): boolean {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
