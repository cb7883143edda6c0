import { expect, test } from 'vitest'
import { memoryRunStore } from '@dit/train-ddp'
import { namingStore } from '../../src/run/named-errors.js'
import { explain } from '../../src/terminal/explain.js'

test('a full disk is told with the file that did not fit', async () => {
  const full = () => Promise.reject(Object.assign(new Error('write'), { code: 'ENOSPC', syscall: 'write' }))
  const store = namingStore({ ...memoryRunStore(), location: 'runs/a', append: full })
  const error: unknown = await store.append('log.jsonl', 'x').catch((reason: unknown) => reason)
  const message = 'cannot write runs/a/log.jsonl: no space is left on the device (ENOSPC)'
  expect(explain(error)).toEqual({ message, exitCode: 1 })
})

test('an error that names its file keeps it', async () => {
  const error = Object.assign(new Error('open'), { code: 'EACCES', syscall: 'open', path: 'other' })
  const store = namingStore({ ...memoryRunStore(), write: () => Promise.reject(error) })
  await expect(store.write('a', '')).rejects.toMatchObject({ path: 'other' })
})
