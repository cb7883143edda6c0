import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROGRAM } from '../pretrained/run-dit.js'
import { trainFlags } from './run-one.js'
import type { Row } from './rows.js'
import type { SpeedrunSet } from './sets.js'

/** Seconds before steps are counted, in which code is compiled. */
const SECONDS_BEFORE = 6
/** More than any row does in that time. */
const MANY_STEPS = 100_000
/** Turns of each of two trainings that are compared, and seconds of a turn. */
const [TURNS, SECONDS_OF_TURN] = [16, 0.75]

/** A training that runs only in its turns, so that two of them share whatever else the machine does. */
export interface Pace {
  /** Lets it run for one turn. @returns seconds that it had */
  turn(seconds: number): Promise<number>
  /** Steps that are done. */
  numSteps(): Promise<number>
  close(): Promise<void>
}

/** Begins a training and stops it once its code is compiled. */
export async function openPace(row: Row, set: SpeedrunSet, folder: string): Promise<Pace> {
  await rm(folder, { recursive: true, force: true })
  const args = trainFlags(row, set, { steps: MANY_STEPS, seed: 0, folder })
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...args, '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const numSteps = async () => {
    // One line of a run's log is one step.
    const text = await readFile(join(folder, 'log.jsonl'), 'utf8').catch(() => '')
    return text.split('\n').length - 1
  }
  const close = async () => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  while ((await numSteps()) === 0) {
    if (child.exitCode !== null) throw new Error(`dit train of ${row.name} ended with ${child.exitCode}`)
    await sleep(100)
  }
  await sleep(1000 * SECONDS_BEFORE)
  child.kill('SIGSTOP')
  return {
    async turn(seconds) {
      const began = performance.now()
      child.kill('SIGCONT')
      await sleep(1000 * seconds)
      child.kill('SIGSTOP')
      return (performance.now() - began) / 1000
    },
    numSteps,
    close,
  }
}

/** Steps a second of each of some trainings, which take turns. */
export async function ratesInTurns(paces: readonly Pace[]): Promise<readonly number[]> {
  const seconds = paces.map(() => 0)
  const before = await Promise.all(paces.map((pace) => pace.numSteps()))
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, pace] of paces.entries()) seconds[i] += await pace.turn(SECONDS_OF_TURN)
  }
  const after = await Promise.all(paces.map((pace) => pace.numSteps()))
  return paces.map((_, i) => (after[i] - before[i]) / seconds[i])
}
