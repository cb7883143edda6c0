export { claimDevice, visibleDevice } from './cuda-device.js'
export { mpiPlace, type MpiPlace } from './mpi/launcher.js'
export { type MpiCommunicator, mpiCommunicator, type MpiOptions, processesOf } from './mpi/mpi-communicator.js'
export { failGroup, threadGroup, type ThreadGroup } from './threads/group.js'
export {
  runThreads,
  type ThreadJob,
  ThreadJobError,
  type ThreadJobOptions,
  type ThreadSeat,
  threadSeat,
} from './threads/run-threads.js'
export { threadCommunicator, type ThreadCommunicatorOptions } from './threads/thread-communicator.js'
