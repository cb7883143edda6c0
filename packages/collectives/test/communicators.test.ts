import { describe, expect, test } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { singleCommunicator } from '../src/index.js'
import { mpiPlace, threadCommunicator, threadGroup } from '../src/node/index.js'
import { findMpi, type Mpi } from '../../../test/support/find-mpi.js'
import { runJob } from '../../../test/support/run-job.js'

async function expectSums(name: string, workers: number, mpi: Mpi | null): Promise<void> {
  const ended = await runJob(new URL('jobs/collectives.ts', import.meta.url), {}, workers, mpi)
  expect(ended).toMatchObject({ code: 0, stdout: `ok ${name} ${workers}\n` })
}

describe('every collective gives the sums and copies that it should', () => {
  test.each([1, 2, 4])('on %i threads', (workers) => expectSums('threads', workers, null))

  for (const name of ['openmpi', 'mpich'] as const) {
    const mpi = findMpi(name)
    const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
    test.each([1, 3])(`on %i processes of ${name}`, (workers) => expectSums(name, workers, mpi))
  }
})

describe('joining a job leaves the end of the heap where it is', () => {
  for (const name of ['openmpi', 'mpich'] as const) {
    const mpi = findMpi(name)
    const test = testNeeding('mpi', mpi !== null && process.platform === 'linux', `no mpirun of ${name} on Linux`)
    test(`with ${name}`, async () => {
      const ended = await runJob(new URL('jobs/heap-end.ts', import.meta.url), {}, 2, mpi)
      expect(ended).toMatchObject({ code: 0, stdout: 'moved by 0\n' })
    })
  }
})

describe('a library that cannot be used is named', () => {
  const [openmpi, mpich] = [findMpi('openmpi'), findMpi('mpich')]
  const test = testNeeding('mpi', openmpi !== null && mpich !== null, 'no mpirun of both families')
  const stderrWith = async (library: string, mpi: Mpi) => {
    const env = { ...mpi.env, DIT_MPI_LIBRARY: library }
    return (await runJob(new URL('jobs/collectives.ts', import.meta.url), {}, 2, { ...mpi, env })).stderr
  }
  test('where it is missing', async () => {
    const text = 'mpi: no MPI library could be loaded (libnothing.so: '
    expect(await stderrWith('libnothing.so', openmpi!)).toContain(text)
    expect(await stderrWith('libnothing.so', mpich!)).toContain(text)
  })
  test('where it is not that of the launcher', async () => {
    expect(await stderrWith('libmpi.so.40', mpich!)).toMatch(
      /the launcher has started 2 processes, but Open MPI v\S+ sees 1: it is not the launcher's library/,
    )
  })
})

test('one worker sums alone', async () => {
  const one = singleCommunicator()
  const [values, part] = [Float32Array.of(1, 2), new Float32Array(2)]
  await one.allReduce(values).wait()
  await one.reduceScatter(values, part).wait()
  expect([...values, ...part]).toEqual([1, 2, 1, 2])
  await one.allGather(Float32Array.of(3, 4), values).wait()
  expect([...values]).toEqual([3, 4])
})

test('a rank that does not come is named', async () => {
  const group = threadGroup(3)
  const [zero, one] = [0, 1].map((rank) => threadCommunicator(group, rank, { patience: 0.2, startPatience: 0.2 }))
  one.allReduce(new Float32Array(4))
  await expect(zero.allReduce(new Float32Array(4)).wait()).rejects.toThrow('rank 2 did not answer rank 0 for 0.2 s')
})

test('collectives refuse arrays that do not fit', () => {
  const one = singleCommunicator()
  expect(() => one.reduceScatter(new Float32Array(3), new Float32Array(2))).toThrow(
    'reduceScatter: values must hold 1 parts of 2 (got 3)',
  )
  expect(() => one.allGather(new Float64Array(2), new Float32Array(2))).toThrow(
    'allGather: values and part must have one type (got Float32Array and Float64Array)',
  )
  expect(() => threadGroup(0)).toThrow('threadGroup: size must be a positive integer (got 0)')
  expect(() => threadCommunicator(threadGroup(2), 2)).toThrow('threadCommunicator: rank must be in 0..1 (got 2)')
})

test('reads what launchers leave in the environment', () => {
  expect(mpiPlace({})).toBe(null)
  expect(mpiPlace({ SLURM_PROCID: '1', SLURM_NTASKS: '4' })).toBe(null)
  expect(mpiPlace({ OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_RANK: '1' })).toMatchObject({
    size: 4,
    localRank: 1,
    libraries: ['libmpi.so.40', 'libmpi.so.80', 'libmpi.40.dylib', 'libmpi.so'],
  })
  const hydra = { PMI_RANK: '2', PMI_SIZE: '4', MPI_LOCALRANKID: '0', MPI_LOCALNRANKS: '2' }
  expect(mpiPlace(hydra)).toMatchObject({ size: 4, localRank: 0, localSize: 2 })
  expect(mpiPlace(hydra)!.libraries[0]).toBe('libmpich.so.12')
  expect(mpiPlace({ PMIX_RANK: '3', SLURM_NTASKS: '8', SLURM_LOCALID: '1' })).toMatchObject({ size: 8, localRank: 1 })
  expect(mpiPlace({ ...hydra, DIT_MPI_LIBRARY: '/opt/libmpi.so' })!.libraries).toEqual(['/opt/libmpi.so'])
})
