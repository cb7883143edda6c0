import { join } from 'node:path'
import type { RunStore } from '@dit/train-ddp'
import { LOCK_FILE } from './run-config.js'

/**
 * Adds the file to an error of the operating system that lacks it: those of open files do, such as a full disk.
 *
 * @returns the same error
 */
export function nameFile(error: unknown, path: string): unknown {
  const { syscall, path: own } = error as NodeJS.ErrnoException
  if (error instanceof Error && syscall !== undefined && own === undefined) Object.assign(error, { path })
  return error
}

/** A store whose errors name the file that could not be written. */
export function namingStore(store: RunStore): RunStore {
  const named = async <T>(path: string, work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw nameFile(error, join(store.location, path))
    }
  }
  return {
    ...store,
    write: (path, contents) => named(path, store.write(path, contents)),
    writeTensors: (path, tensors, metadata) => named(path, store.writeTensors(path, tensors, metadata)),
    append: (path, text) => named(path, store.append(path, text)),
    truncate: (path, bytes) => named(path, store.truncate(path, bytes)),
    lock: () => named(LOCK_FILE, store.lock()),
    flush: (path) => named(path, store.flush(path)),
  }
}
