export {
  type BlockingCollectives,
  CommunicationError,
  type Communicator,
  type DirectCollectives,
  type Traffic,
  type Transfer,
} from './communicator.js'
export type { Floats, Numbers } from './numbers.js'
export { anyRank, onRankZero, RankZeroError, sharedText } from './rank-zero.js'
export { singleCommunicator } from './single.js'
