/** Where an MPI launcher has put this process. */
export interface MpiPlace {
  /** Libraries to try, in this order: a job must use that of its launcher. */
  readonly libraries: readonly string[]
  /** Number of processes that the launcher tells of, or null where only the library knows. */
  readonly size: number | null
  /** Place among the processes of this machine, from 0, or null where the launcher does not tell. */
  readonly localRank: number | null
  /** Processes on this machine, or null where the launcher does not tell. */
  readonly localSize: number | null
}

type Environment = Readonly<Record<string, string | undefined>>

const OPEN_MPI = ['libmpi.so.40', 'libmpi.so.80', 'libmpi.40.dylib']
const MPICH = ['libmpich.so.12', 'libmpi.so.12', 'libmpi.12.dylib']

/**
 * Reads what launchers leave in the environment: `mpirun` of Open MPI and of MPICH (and its relatives), and `srun` with
 * `--mpi=pmix` or `--mpi=pmi2`. `DIT_MPI_LIBRARY` names the library where the guess is wrong.
 *
 * @returns null for a process that no MPI launcher has started
 */
export function mpiPlace(env: Environment = process.env): MpiPlace | null {
  const own = env.DIT_MPI_LIBRARY
  const named = own === undefined || own === '' ? null : [own]
  const localSlurm = { localRank: count(env.SLURM_LOCALID), localSize: null }
  if (env.OMPI_COMM_WORLD_SIZE !== undefined) {
    return {
      libraries: named ?? [...OPEN_MPI, 'libmpi.so'],
      size: count(env.OMPI_COMM_WORLD_SIZE),
      localRank: count(env.OMPI_COMM_WORLD_LOCAL_RANK),
      localSize: count(env.OMPI_COMM_WORLD_LOCAL_SIZE),
    }
  }
  if (env.PMI_RANK !== undefined || env.PMI_SIZE !== undefined) {
    return {
      libraries: named ?? [...MPICH, ...OPEN_MPI],
      size: count(env.PMI_SIZE),
      localRank: count(env.MPI_LOCALRANKID) ?? localSlurm.localRank,
      localSize: count(env.MPI_LOCALNRANKS),
    }
  }
  if (env.PMIX_RANK !== undefined) {
    return {
      libraries: named ?? [...OPEN_MPI, ...MPICH, 'libmpi.so'],
      size: count(env.SLURM_NTASKS),
      ...localSlurm,
    }
  }
  return null
}

function count(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null
}
