import { spawnSync } from 'node:child_process'

export interface Mpi {
  readonly name: 'openmpi' | 'mpich'
  /** Command and arguments that start `workers` processes here. */
  command(workers: number): readonly string[]
  readonly env: NodeJS.ProcessEnv
}

const SIGNS = { openmpi: 'Open MPI', mpich: 'HYDRA' } as const

/** The launcher of an MPI family on this machine: Debian names both, other systems have one `mpirun`. */
export function findMpi(name: Mpi['name']): Mpi | null {
  for (const program of [`mpirun.${name}`, `mpiexec.${name === 'mpich' ? 'hydra' : name}`, 'mpirun']) {
    const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
    if (typeof stdout !== 'string' || !stdout.includes(SIGNS[name])) continue
    const many = name === 'openmpi' ? ['--oversubscribe'] : []
    return {
      name,
      command: (workers) => [program, ...many, '-n', String(workers)],
      // As root, and on a machine with less processors than ranks: as tests run in containers.
      env: { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
    }
  }
  return null
}
