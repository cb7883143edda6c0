import { claimDevice, visibleDevice } from '@dit/train-ddp/node'
import { expect, test } from 'vitest'

test('a rank is left the GPU of its place', () => {
  expect([0, 1, 7].map((rank) => visibleDevice(rank))).toEqual(['0', '1', '7'])
  expect([0, 1].map((rank) => visibleDevice(rank, '2, 5'))).toEqual(['2', '5'])
  expect(visibleDevice(1, 'GPU-8a3f,MIG-77b2,GPU-1c')).toBe('MIG-77b2')
})

test('different ranks never share a GPU of a list', () => {
  const list = '3,1,0,2'
  expect(new Set([0, 1, 2, 3].map((rank) => visibleDevice(rank, list))).size).toBe(4)
})

test('a list of one is kept, as launchers leave it that give each process its own', () => {
  expect([0, 1, 2].map((rank) => visibleDevice(rank, '6'))).toEqual(['6', '6', '6'])
})

test('a list ends at the first device that is not there, as CUDA reads it', () => {
  expect(visibleDevice(1, '4,5,-1,6')).toBe('5')
  expect(() => visibleDevice(2, '4,5,-1,6')).toThrow(
    'visibleDevice: CUDA_VISIBLE_DEVICES must list a GPU for each process of the machine (it is "4,5,-1,6", and this is process 2)',
  )
})

test.each(['', '-1'])('with %j no GPU is visible, which is an error', (hidden) => {
  expect(() => visibleDevice(0, hidden)).toThrow(RangeError)
})

test('a rank that is no place is an error', () => {
  expect(() => visibleDevice(-1)).toThrow('visibleDevice: localRank must be an integer from 0 (got -1)')
  expect(() => visibleDevice(0.5)).toThrow(RangeError)
})

test('a process of an MPI job claims its GPU in the environment, any other keeps all', () => {
  const alone: NodeJS.ProcessEnv = { CUDA_VISIBLE_DEVICES: '0,1' }
  expect(claimDevice(alone)).toBe(null)
  expect(alone).toEqual({ CUDA_VISIBLE_DEVICES: '0,1' })

  const openMpi: NodeJS.ProcessEnv = { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_RANK: '1' }
  expect(claimDevice(openMpi)).toBe('1')
  expect(openMpi.CUDA_VISIBLE_DEVICES).toBe('1')
  // Once claimed it stays so: a second call changes nothing.
  expect(claimDevice(openMpi)).toBe('1')

  const slurm: NodeJS.ProcessEnv = {
    PMIX_RANK: '5',
    SLURM_NTASKS: '8',
    SLURM_LOCALID: '1',
    CUDA_VISIBLE_DEVICES: '2,3',
  }
  expect(claimDevice(slurm)).toBe('3')
})

test.each([
  ['mpirun of Open MPI', { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_LOCAL_RANK: '1' }],
  ['mpirun of MPICH', { PMI_SIZE: '4', PMI_RANK: '3', MPI_LOCALRANKID: '1', MPI_LOCALNRANKS: '2' }],
  ['srun --mpi=pmix', { PMIX_RANK: '3', SLURM_NTASKS: '4', SLURM_LOCALID: '1' }],
  ['srun --mpi=pmi2', { PMI_SIZE: '4', PMI_RANK: '3', SLURM_NTASKS: '4', SLURM_LOCALID: '1' }],
])('%s: the second process of the second machine takes its second GPU', (_, variables) => {
  expect(claimDevice({ ...variables })).toBe('1')
  expect(claimDevice({ ...variables, CUDA_VISIBLE_DEVICES: '6,7' })).toBe('7')
  expect(claimDevice({ ...variables, CUDA_VISIBLE_DEVICES: '6' })).toBe('6')
})

test('a launcher that does not tell the place is an error, but for a job of one', () => {
  expect(() => claimDevice({ PMI_RANK: '1', PMI_SIZE: '2' })).toThrow(
    'claimDevice: the launcher does not tell the place',
  )
  expect(claimDevice({ PMI_RANK: '0', PMI_SIZE: '1' })).toBe(null)
})
