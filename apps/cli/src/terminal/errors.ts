/** Exit codes of `dit`. An interrupted run exits with 128 + the number of the signal: 130 for Ctrl-C. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const

/** The command line, a config file or an input is wrong: nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Something that was asked for correctly could not be done. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

/** A failure that every worker of a job meets at once; rank 0 reports it. */
export class SharedFailure extends Failure {}

/** What a failed system call means, by its code. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'part of the path is a file, not a folder',
  EISDIR: 'this is a folder, not a file',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  EEXIST: 'the file already exists',
  ENOSPC: 'no space is left on the device',
  EMFILE: 'too many files are open',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be too large',
  EIO: 'the disk reported an error',
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (isSystemError(error)) {
    const { code, path, syscall } = error
    return `cannot ${verb(syscall)} ${path ?? 'a file'}: ${SYSTEM_ERRORS[code]} (${code})`
  }
  return error.message === '' ? error.name : error.message
}

/** Whether a system call failed in a way that a message can explain. */
export function isSystemError(
  error: unknown,
): error is NodeJS.ErrnoException & { readonly code: string; readonly syscall: string } {
  if (!(error instanceof Error)) return false
  const { code, syscall } = error as NodeJS.ErrnoException
  return syscall !== undefined && code !== undefined && Object.hasOwn(SYSTEM_ERRORS, code)
}

/**
 * Runs checks of a library on what the user wrote: their errors become usage errors.
 *
 * @param said what to tell the user in place of the message
 */
export function checkInput<T>(check: () => T, said = (message: string) => message): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError)
      throw new UsageError(said(error.message), { cause: error })
    throw error
  }
}

function verb(syscall: string): string {
  if (syscall === 'mkdir') return 'create the folder'
  if (syscall === 'scandir') return 'read the folder'
  if (['fsync', 'fdatasync', 'ftruncate'].includes(syscall)) return 'write'
  return ['rename', 'unlink', 'write', 'read'].includes(syscall) ? syscall : 'open'
}
