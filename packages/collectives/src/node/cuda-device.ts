import { mpiPlace } from './mpi/launcher.js'

/**
 * The value of `CUDA_VISIBLE_DEVICES` that leaves a rank one GPU: the `localRank`-th of those that are visible.
 *
 * @param localRank place among the processes of this machine, from 0
 * @param visible   the value that the variable has: a list such as `2,3` or of identifiers; undefined where all are visible.
 *   A list of one is kept: a launcher, or whoever started it, has chosen already.
 * @throws RangeError where fewer GPUs are visible than there are processes
 */
export function visibleDevice(localRank: number, visible?: string): string {
  if (!Number.isSafeInteger(localRank) || localRank < 0) {
    throw new RangeError(`visibleDevice: localRank must be an integer from 0 (got ${localRank})`)
  }
  if (visible === undefined) return String(localRank)
  // CUDA reads a list up to the first device that is not there, as -1 never is.
  const devices = visible.split(',').map((device) => device.trim())
  const end = devices.findIndex((device) => device === '' || device.startsWith('-'))
  const there = end === -1 ? devices : devices.slice(0, end)
  if (there.length === 1) return there[0]
  if (localRank >= there.length) {
    throw new RangeError(
      `visibleDevice: CUDA_VISIBLE_DEVICES must list a GPU for each process of the machine (it is ${JSON.stringify(visible)}, and this is process ${localRank})`,
    )
  }
  return there[localRank]
}

/**
 * Leaves this process of an MPI job one GPU, by its place on the machine. To be called before an engine on CUDA starts in the
 * process: afterwards it has no effect. Ranks that are threads cannot have GPUs of their own, since they share the variable.
 *
 * @param env changed where the process belongs to a job; by default the environment of the process
 * @returns the GPU that is left, or null for a process that no MPI launcher has started, which keeps all
 * @throws RangeError where fewer GPUs are visible than there are processes, or the launcher does not tell the place
 */
export function claimDevice(env: NodeJS.ProcessEnv = process.env): string | null {
  const place = mpiPlace(env)
  if (place === null) return null
  if (place.localRank === null) {
    if (place.size === 1) return null
    throw new RangeError(
      'claimDevice: the launcher does not tell the place of this process on its machine; set CUDA_VISIBLE_DEVICES for each process',
    )
  }
  const device = visibleDevice(place.localRank, env.CUDA_VISIBLE_DEVICES)
  env.CUDA_VISIBLE_DEVICES = device
  return device
}
