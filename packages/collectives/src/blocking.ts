import type { BlockingCollectives, Transfer } from './communicator.js'

/** A transfer that can also be waited for without a turn of the event loop. */
export interface BlockingTransfer extends Transfer {
  finish(): void
}

/** Collectives whose transfers can be finished. */
export type Begin = {
  readonly [K in keyof BlockingCollectives]: (...values: Parameters<BlockingCollectives[K]>) => BlockingTransfer
}

export function blockingCollectives(begin: Begin): BlockingCollectives {
  return {
    allReduce: (values) => begin.allReduce(values).finish(),
    reduceScatter: (values, part) => begin.reduceScatter(values, part).finish(),
    allGather: (part, values) => begin.allGather(part, values).finish(),
    broadcast: (values, root) => begin.broadcast(values, root).finish(),
  }
}
