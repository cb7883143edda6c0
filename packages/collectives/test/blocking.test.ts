import { expect, test } from 'vitest'
import { CommunicationError, singleCommunicator } from '../src/index.js'
import { failGroup, threadCommunicator, threadGroup } from '../src/node/index.js'
import { localCommunicators } from '../../../test/support/local-communicators.js'
import { runJob } from '../../../test/support/run-job.js'

test('two threads sum and copy without a turn of the event loop', async () => {
  const ended = await runJob(new URL('jobs/blocking.ts', import.meta.url), {}, 2, null)
  expect(ended).toMatchObject({ code: 0, stdout: 'ok threads 2\n' })
})

test('one worker sums alone', () => {
  const { blocking } = singleCommunicator()
  const [values, part] = [Float32Array.of(1, 2), new Float32Array(2)]
  blocking!.allReduce(values)
  blocking!.reduceScatter(values, part)
  expect([...values, ...part]).toEqual([1, 2, 1, 2])
  blocking!.allGather(Float32Array.of(3, 4), values)
  blocking!.broadcast(values)
  expect([...values]).toEqual([3, 4])
})

test('a rank that does not come ends the wait after the patience, and is named', async () => {
  const group = threadGroup(3)
  const [zero, one] = [0, 1].map((rank) => threadCommunicator(group, rank, { patience: 0.2, startPatience: 0.2 }))
  one.allReduce(new Float32Array(4))
  const lost = () => zero.blocking!.allReduce(new Float32Array(4))
  expect(lost).toThrow(CommunicationError)
  expect(lost).toThrow('rank 2 did not answer rank 0 for 0.2 s')
  const pair = await zero.group([2, 0])
  expect(() => pair.blocking!.broadcast(new Uint8Array(4))).toThrow('rank 2 did not answer rank 0 for 0.2 s')
})

test('a rank that has answered once is waited for no longer than the patience, if nobody had to wait then', () => {
  const group = threadGroup(2)
  const [zero, one] = [0, 1].map((rank) => threadCommunicator(group, rank, { patience: 0.2, startPatience: 2 }))
  one.broadcast(new Float32Array(4), 1)
  zero.blocking!.broadcast(new Float32Array(4), 1)
  expect(() => zero.blocking!.allReduce(new Float32Array(4))).toThrow('rank 1 did not answer rank 0 for 0.2 s')
})

test('a rank that has failed ends the wait at once', () => {
  const group = threadGroup(2)
  const zero = threadCommunicator(group, 0)
  failGroup(group, 1)
  expect(() => zero.blocking!.allReduce(new Float32Array(4))).toThrow('rank 1 has failed')
})

test('arrays that do not fit are refused', () => {
  const zero = threadCommunicator(threadGroup(2), 0)
  expect(() => zero.blocking!.allGather(new Float32Array(2), new Float32Array(3))).toThrow(
    'allGather: values must hold 2 parts of 2 (got 3)',
  )
})

test('ranks that share a thread by design cannot block', () => {
  expect(localCommunicators(2).map(({ blocking }) => blocking)).toEqual([undefined, undefined])
})
