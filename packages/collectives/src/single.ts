import { type Begin, blockingCollectives, type BlockingTransfer } from './blocking.js'
import { checkGroup, checkParts, checkRoot, type Communicator } from './communicator.js'

const DONE: BlockingTransfer = { poll: () => true, wait: async () => {}, finish() {} }

/** A job of one worker: nothing is moved, and nobody is waited for. */
export function singleCommunicator(): Communicator {
  const collectives: Begin = {
    allReduce: () => DONE,
    reduceScatter(values, part) {
      checkParts('reduceScatter', 1, values, part)
      part.set(values)
      return DONE
    },
    allGather(part, values) {
      checkParts('allGather', 1, values, part)
      values.set(part)
      return DONE
    },
    broadcast(_, root = 0) {
      checkRoot(1, root)
      return DONE
    },
  }
  return {
    name: 'single',
    rank: 0,
    size: 1,
    ...collectives,
    blocking: blockingCollectives(collectives),
    async group(ranks) {
      checkGroup(ranks, { rank: 0, size: 1 })
      return singleCommunicator()
    },
    poll() {},
    traffic: () => ({ bytes: 0, waitSeconds: 0 }),
    async close() {},
  }
}
