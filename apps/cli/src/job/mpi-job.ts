import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { type MpiPlace, mpiCommunicator, processesOf } from '@dit/train-ddp/node'
import { explain } from '../terminal/explain.js'
import { onInterrupt } from '../terminal/interrupt.js'
import { printable } from '../terminal/printable.js'
import { isConsequence, type Job } from './job.js'
import { SUPERVISED } from './supervise.js'

/**
 * Runs `work` as a rank of the job that an MPI launcher has started. Whatever goes wrong on a rank ends all of them.
 *
 * @returns the exit code of this rank
 */
export async function runUnderMpi(
  place: MpiPlace,
  patience: number,
  work: (job: Job) => Promise<number>,
): Promise<number> {
  chooseDevice(place)
  const communicator = await mpiCommunicator({ patience, place })
  const { rank, size } = communicator
  try {
    const processes = await processesOf(communicator)
    const host = hostname()
    // Whoever started the launcher reads it, where that was on this machine.
    const file = process.env[SUPERVISED]
    if (rank === 0 && file !== undefined) await writeFile(file, JSON.stringify(processes)).catch(() => {})
    const localSize = place.localSize ?? processes.filter((of) => of.startsWith(`${host}:`)).length
    const list = processes.map((of, i) => `${i} ${of}`).join(', ')
    const description = `${size} processes (${communicator.version.split(',')[0].replaceAll(/\s+/g, ' ')}; rank and host:pid: ${list})`
    const code = await work({ communicator, localSize, description, processes, interruption: onInterrupt })
    await communicator.close()
    return code
  } catch (error) {
    const { message, exitCode } = explain(error)
    // Rank 0 has something to say and ends the job; until then this one stays.
    if (isConsequence(rank, error)) {
      await communicator.close()
      return exitCode
    }
    process.stderr.write(`dit: rank ${rank}: ${printable(message)}\n`)
    return communicator.abort(exitCode)
  }
}

/**
 * Gives each process of a machine a CUDA device of its own: one of those that CUDA_VISIBLE_DEVICES lists, or that with the
 * number of the process where the machine has it.
 */
export function chooseDevice({ localRank }: Pick<MpiPlace, 'localRank'>, env = process.env): void {
  if (localRank === null) return
  const listed = env.CUDA_VISIBLE_DEVICES?.split(',').filter((device) => device !== '')
  if (listed !== undefined && listed.length > 1) env.CUDA_VISIBLE_DEVICES = listed[localRank % listed.length]
  if (listed === undefined && existsSync(`/dev/nvidia${localRank}`)) env.CUDA_VISIBLE_DEVICES = String(localRank)
}
