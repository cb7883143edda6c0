import { setTimeout as sleep } from 'node:timers/promises'
import { RunLockedError, type RunStore } from '@dit/train-ddp'

/** A store whose lock is waited for, up to so many seconds. */
export function awaitingLock(store: RunStore, seconds: number): RunStore {
  return {
    ...store,
    async lock() {
      for (let tries = 0; ; tries++) {
        try {
          return await store.lock()
        } catch (error) {
          if (!(error instanceof RunLockedError) || tries >= 4 * seconds) throw error
          await sleep(250)
        }
      }
    },
  }
}
