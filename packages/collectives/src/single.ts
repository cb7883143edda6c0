import { checkGroup, checkParts, type Communicator, type Transfer } from './communicator.js'

const DONE: Transfer = { poll: () => true, wait: async () => {} }

/** A job of one worker: nothing is moved, and nobody is waited for. */
export function singleCommunicator(): Communicator {
  return {
    name: 'single',
    rank: 0,
    size: 1,
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
    broadcast: () => DONE,
    async group(ranks) {
      checkGroup(ranks, { rank: 0, size: 1 })
      return singleCommunicator()
    },
    poll() {},
    traffic: () => ({ bytes: 0, waitSeconds: 0 }),
    async close() {},
  }
}
