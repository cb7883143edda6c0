import koffi from 'koffi'
import { join } from '../../../../test/support/join.js'

/** mmap: PROT_NONE, and MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE of Linux. */
const [NOTHING, HERE_ALONE] = [0, 0x100022]

const libc = koffi.load('libc.so.6')
const sbrk = libc.func('sbrk', 'intptr_t', ['intptr_t']) as (by: number) => number | bigint
const mmap = libc.func('mmap', 'intptr_t', ['intptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t'])

/**
 * Puts a page right behind malloc's heap, where V8's code may lie, and prints by how much joining the job has moved its end. Where
 * something lies there already the call fails, and all is as it should be.
 */
const end = BigInt(sbrk(0))
const page = BigInt(mmap(end, 4096, NOTHING, HERE_ALONE, -1, 0) as number | bigint)
if (page !== end && page !== -1n) throw new Error(`the page behind the heap is at ${page} instead of ${end}`)
await join(import.meta.url, async ({ rank }) => {
  if (rank === 0) console.log(`moved by ${BigInt(sbrk(0)) - end}`)
})
