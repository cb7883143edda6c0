import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { RunLockedError } from '../events.js'

export const LOCK = 'lock.json'

/** Tokens of the locks that this very process holds or asks for: a process number alone may be that of an earlier one. */
const mine = new Set<string>()

interface Owner {
  readonly pid: number
  readonly host: string
  /** Of this lock alone; absent in those of older versions. */
  readonly token?: string
}

/** Milliseconds between two tries while others ask, and until a lock that cannot be read is taken for the remains of a crash. */
const PAUSE = 20
const UNREADABLE = 200

/** Milliseconds after which a process that still asks is in the way. */
const PATIENCE = 5000

/** Codes of file systems without hard links: there a lock is written in its place. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Makes this process the only one that writes to a run. A lock whose process is gone (killed, or a power cut) is taken over.
 *
 * Whoever asks puts a file of its own beside the lock, and links it into place. To take over a lock that was left behind, it must be the only
 * one that asks: of two, at least the later sees the other's file, and both try again.
 *
 * @returns what gives the lock back, and leaves alone one that somebody else has taken since
 * @throws RunLockedError while its process is alive, where it is of another machine, or where others ask without end
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true })
  const path = join(await realpath(folder), LOCK)
  const token = randomUUID()
  const owner: Owner = { pid: process.pid, host: hostname(), token }
  const request = `${path}.${token}`
  mine.add(token)
  try {
    await acquire(folder, path, request, owner)
  } catch (error) {
    mine.delete(token)
    throw error
  } finally {
    await rm(request, { force: true })
  }
  return async () => {
    mine.delete(token)
    const now = await read(path)
    if (now !== 'gone' && now.owner?.token === token) await rm(path, { force: true })
  }
}

async function acquire(folder: string, path: string, request: string, owner: Owner): Promise<void> {
  for (let waited = 0; ;) {
    await writeFile(request, JSON.stringify(owner))
    if (await linkInto(path, request, owner)) return
    const found = await read(path)
    if (found !== 'gone') {
      const { owner: other } = found
      if (other !== null && isAtWork(other)) {
        throw new RunLockedError(
          `process ${other.pid} on ${other.host} is already writing to ${folder}; if it no longer runs, remove ${path}`,
        )
      }
      const rival = await rivalOf(path, request)
      if (rival === null) {
        await removeLeftBehind(path, found.text)
        continue
      }
      if (waited >= PATIENCE) {
        throw new RunLockedError(`another process is about to write to ${folder}; if none runs, remove ${rival}`)
      }
    }
    // Others must not see this one while it waits, and not wait as long as it does.
    await rm(request, { force: true })
    const pause = PAUSE * (1 + (Number.parseInt(owner.token!.slice(0, 4), 16) % 8))
    await new Promise((resume) => setTimeout(resume, pause))
    waited += pause
  }
}

/** Puts a lock in its place as a whole, so that nobody reads a part of it; false where there is one. */
async function linkInto(path: string, request: string, owner: Owner): Promise<boolean> {
  try {
    await link(request, path).catch(async (error: unknown) => {
      if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      await writeFile(path, JSON.stringify(owner), { flag: 'wx' })
    })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** The file of another process that asks for the lock as well; null where there is none. Those of dead ones are removed. */
async function rivalOf(path: string, request: string): Promise<string | null> {
  const folder = dirname(path)
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    if (!name.startsWith(`${basename(path)}.`) || file === request) continue
    const found = await read(file)
    if (found === 'gone') continue
    // One that is being written cannot be read yet.
    if (found.owner === null || isAtWork(found.owner)) return file
    await rm(file, { force: true })
  }
  return null
}

/** Removes a lock that is still the one that was found. Nobody else is at it. */
async function removeLeftBehind(path: string, text: string): Promise<void> {
  if (ownerIn(text) === null) await new Promise((resume) => setTimeout(resume, UNREADABLE))
  const now = await read(path)
  if (now !== 'gone' && now.text === text) await rm(path, { force: true })
}

/** A lock, and its owner: null where it is cut short. */
async function read(path: string): Promise<{ readonly text: string; readonly owner: Owner | null } | 'gone'> {
  try {
    const text = await readFile(path, 'utf8')
    return { text, owner: ownerIn(text) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone'
    throw error
  }
}

function ownerIn(text: string): Owner | null {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null
    return typeof owner?.pid === 'number' && typeof owner.host === 'string' ? (owner as Owner) : null
  } catch {
    return null
  }
}

function isAtWork({ pid, host, token }: Owner): boolean {
  if (host !== hostname()) return true
  if (pid === process.pid) return token !== undefined && mine.has(token)
  // 0 and negative numbers are groups of processes.
  if (!(Number.isInteger(pid) && pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
