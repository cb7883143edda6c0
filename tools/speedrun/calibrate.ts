import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROGRAM } from '../pretrained/run-dit.js'
import { trainFlags } from './run-one.js'
import type { Row } from './rows.js'
import type { SpeedrunSet } from './sets.js'

/** Seconds before steps are counted, in which code is compiled, and seconds in which they are. */
const [SECONDS_BEFORE, SECONDS_COUNTED] = [8, 12]
/** More than any row does in that time. */
const MANY_STEPS = 100_000

/** Steps a second of a row on this machine; only right where nothing else runs. */
export async function stepsPerSecond(row: Row, set: SpeedrunSet, folder: string): Promise<number> {
  await rm(folder, { recursive: true, force: true })
  const args = trainFlags(row, set, { steps: MANY_STEPS, seed: 0, folder })
  const child = spawn(process.execPath, [PROGRAM, ...args, '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise((resolve) => child.on('close', resolve))
  try {
    while ((await numSteps(folder)) === 0) {
      if (child.exitCode !== null) throw new Error(`dit train of ${row.name} ended with ${child.exitCode}`)
      await sleep(100)
    }
    await sleep(1000 * SECONDS_BEFORE)
    const [before, began] = [await numSteps(folder), performance.now()]
    await sleep(1000 * SECONDS_COUNTED)
    const after = await numSteps(folder)
    return (after - before) / ((performance.now() - began) / 1000)
  } finally {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
}

/** Lines of a run's log, one a step. */
async function numSteps(folder: string): Promise<number> {
  const text = await readFile(join(folder, 'log.jsonl'), 'utf8').catch(() => '')
  return text.split('\n').length - 1
}
