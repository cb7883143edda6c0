import { expect, test } from 'vitest'
import { singleCommunicator } from '../src/index.js'
import { mpiPlace, threadCommunicator, threadGroup } from '../src/node/index.js'
import { expectSums } from './expect-sums.js'

test('every collective gives the sums and copies that it should on 2 threads', () => expectSums('threads', 2, null))

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

test('collectives refuse arrays that do not fit, and ranks that are none', () => {
  const one = singleCommunicator()
  expect(() => one.reduceScatter(new Float32Array(3), new Float32Array(2))).toThrow(
    'reduceScatter: values must hold 1 parts of 2 (got 3)',
  )
  expect(() => one.allGather(new Float64Array(2), new Float32Array(2))).toThrow(
    'allGather: values and part must have one type (got Float32Array and Float64Array)',
  )
  const pair = threadCommunicator(threadGroup(2), 0)
  for (const each of [one, pair]) {
    expect(() => each.broadcast(new Float32Array(1), each.size)).toThrow('broadcast: root must be a rank, 0 to')
  }
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
