export {
  claimDevice,
  failGroup,
  type MpiCommunicator,
  mpiCommunicator,
  type MpiOptions,
  mpiPlace,
  type MpiPlace,
  processesOf,
  runThreads,
  threadCommunicator,
  type ThreadCommunicatorOptions,
  threadGroup,
  type ThreadGroup,
  type ThreadJob,
  ThreadJobError,
  type ThreadJobOptions,
  type ThreadSeat,
  threadSeat,
  visibleDevice,
} from '@dit/collectives/node'
export { folderRunStore } from './folder-store.js'
export { ConditionsError } from './conditions/conditions-error.js'
export { CONDITIONS_FILE, type ConditionsFile, openConditions } from './conditions/open-conditions.js'
export type { StoredCondition } from './conditions/stored-conditions.js'
