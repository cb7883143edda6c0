import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LOG, parseLog, type StepRecord } from '@dit/train-ddp'
import { Failure } from '../terminal/errors.js'

/**
 * Steps that a run has logged so far; a last line that is still being written is left out.
 *
 * @returns null where there is no log
 * @throws Failure where a line is not a record, with its number
 */
export async function readLog(folder: string): Promise<StepRecord[] | null> {
  const path = join(folder, LOG)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  const damaged = text
    .split('\n')
    .slice(0, -1)
    .findIndex((line) => !isRecord(line))
  if (damaged >= 0) throw new Failure(`${path}: line ${damaged + 1} is not the record of a step; the file is damaged`)
  return parseLog(text)
}

function isRecord(line: string): boolean {
  try {
    const record = JSON.parse(line) as Partial<StepRecord> | null
    return [record?.step, record?.loss, record?.learningRate].every((value) => Number.isFinite(value))
  } catch {
    return false
  }
}
