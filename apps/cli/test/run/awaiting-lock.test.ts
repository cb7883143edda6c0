import { memoryRunStore, RunLockedError } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { awaitingLock } from '../../src/run/awaiting-lock.js'

test('a lock that is given back in time is taken, another one is an error', async () => {
  const store = memoryRunStore()
  const unlock = await store.lock()
  await expect(awaitingLock(store, 0).lock()).rejects.toThrow(RunLockedError)
  setTimeout(() => void unlock(), 300)
  const again = await awaitingLock(store, 10).lock()
  await again()
})
