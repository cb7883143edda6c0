import { expect, test } from 'vitest'
import { shortOfSpace } from '../src/samples/free-space.js'

test('a file that is larger than what is free where it lies is told, and no other', async () => {
  const files = [
    { path: '/a/large.npz', bytes: 3 * 2 ** 30 },
    { path: '/a/small.npz', bytes: 5 },
    { path: '/unknown/b.npz', bytes: 2 ** 50 },
    // Takes whatever comes.
    { path: '/dev/null', bytes: 2 ** 50 },
  ]
  const free = async (folder: string) => (folder === '/unknown' ? null : 2 ** 30)
  expect(await shortOfSpace(files, free)).toEqual(['/a/large.npz will have 3 GiB, but only 1 GiB are free there'])
})
