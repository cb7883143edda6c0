import type { View } from '@dit/tensor'
import { expect, test } from 'vitest'
import { createDeferredQueue, type DeferredKernel } from '../src/runtime/deferred.js'
import type { GpuBuffer } from '../src/runtime/pool.js'

let nextId = 0

/** A view that fills a buffer of its own. */
function view(): View {
  const buffer: Partial<GpuBuffer> = { id: nextId++ }
  return { buffer, byteOffset: 0, shape: [4], dtype: 'f32' }
}

/** A queue that writes down what happens. */
function setUp() {
  const log: string[] = []
  const names = new Map<unknown, string>()
  const named = (name: string): View => {
    const made = view()
    names.set(made.buffer, name)
    return made
  }
  const nameOf = (x: View) => names.get(x.buffer)!
  const queue = createDeferredQueue(
    (buffer) => log.push(`recycle ${names.get(buffer)}`),
    (sum, part) => log.push(`${nameOf(sum)} += ${nameOf(part)}`),
  )
  const kernel = (
    name: string,
    inputs: View[],
    outputs: View[],
    more: Partial<DeferredKernel> = {},
  ): DeferredKernel => ({
    inputs,
    outputs,
    canAccumulate: true,
    canGate: false,
    run(targets, residual) {
      const to = targets.map((target) =>
        target === null ? 'nothing' : `${target.accumulates ? '+' : ''}${nameOf(target.view)}`,
      )
      log.push(`${name} to ${to.join(' ')}${residual === null ? '' : ` and ${nameOf(residual.out)}`}`)
    },
    ...more,
  })
  const free = (x: View) => {
    if (!queue.freed(x.buffer as GpuBuffer)) log.push(`recycle ${nameOf(x)}`)
  }
  return { log, named, queue, kernel, free }
}

test('a kernel runs before its result is read', () => {
  const { log, named, queue, kernel } = setUp()
  const [a, out] = [named('a'), named('out')]
  queue.defer(kernel('product', [a], [out]))
  queue.settle([named('other')], [named('third')])
  expect(log).toEqual([])
  queue.settle([out], [])
  expect(log).toEqual(['product to out'])
  queue.settle([out], [])
  expect(log).toHaveLength(1)
})

test('a kernel runs before what it reads is written', () => {
  const { log, named, queue, kernel } = setUp()
  const a = named('a')
  queue.defer(kernel('product', [a], [named('out')]))
  queue.settle([a], [])
  expect(log).toEqual([])
  queue.settle([], [a])
  expect(log).toEqual(['product to out'])
})

test('a result that is added to a sum and freed is added by the kernel itself', () => {
  const { log, named, queue, kernel, free } = setUp()
  const [out, sum] = [named('out'), named('sum')]
  queue.defer(kernel('product', [named('a')], [out]))
  expect(queue.accumulate(sum, out)).toBe(true)
  free(out)
  expect(log).toEqual(['product to +sum', 'recycle out'])
})

test('a result that is added to a sum and read afterwards is written and added', () => {
  const { log, named, queue, kernel } = setUp()
  const [out, sum] = [named('out'), named('sum')]
  queue.defer(kernel('product', [named('a')], [out]))
  queue.accumulate(sum, out)
  queue.settle([out], [])
  expect(log).toEqual(['product to out', 'sum += out'])
})

test('the sum is complete before it is read', () => {
  const { log, named, queue, kernel } = setUp()
  const [out, sum] = [named('out'), named('sum')]
  queue.defer(kernel('product', [named('a')], [out]))
  queue.accumulate(sum, out)
  queue.settle([sum], [])
  expect(log).toEqual(['product to out', 'sum += out'])
})

test('a sum that the kernel reads, or that is its own result, is not put off', () => {
  const { named, queue, kernel } = setUp()
  const [a, out] = [named('a'), named('out')]
  queue.defer(kernel('product', [a], [out]))
  expect(queue.accumulate(a, out)).toBe(false)
  expect(queue.accumulate(out, out)).toBe(false)
})

test('what is freed unused is never computed, and its memory goes back', () => {
  const { log, named, queue, kernel, free } = setUp()
  const [a, out] = [named('a'), named('out')]
  queue.defer(kernel('product', [a], [out]))
  free(out)
  expect(log).toEqual(['recycle out'])
  queue.settle([], [a])
  expect(log).toHaveLength(1)
})

test('memory of an input that is freed goes back when the last kernel that reads it has run', () => {
  const { log, named, queue, kernel, free } = setUp()
  const [a, first, second] = [named('a'), named('first'), named('second')]
  queue.defer(kernel('one', [a], [first]))
  queue.defer(kernel('two', [a], [second]))
  free(a)
  queue.settle([first], [])
  expect(log).toEqual(['one to first'])
  queue.settle([second], [])
  expect(log).toEqual(['one to first', 'two to second', 'recycle a'])
})

test('of two results one may be unwanted', () => {
  const { log, named, queue, kernel, free } = setUp()
  const [weight, bias, sum] = [named('weight'), named('bias'), named('sum')]
  queue.defer(kernel('gradients', [named('a')], [weight, bias]))
  queue.accumulate(sum, weight)
  free(weight)
  expect(log).toEqual([])
  free(bias)
  expect(log).toEqual(['gradients to +sum nothing', 'recycle weight', 'recycle bias'])
})

test('a gated residual is computed with the product before it', () => {
  const { log, named, queue, kernel } = setUp()
  const h = named('h')
  queue.defer(kernel('projection', [named('a')], [h], { canGate: true }))
  const residual = { x: named('x'), gate: named('gate'), out: named('out') }
  expect(queue.gate(residual, h)).toBe(true)
  expect(log).toEqual(['projection to h and out'])
  expect(queue.gate(residual, h)).toBe(false)
})

test('a kernel that takes more outputs while it waits is found by its key and its input', () => {
  const { log, named, queue, kernel } = setUp()
  const x = named('x')
  queue.defer(kernel('slices', [x], [named('first')], { key: 'columns', starts: [0] }))
  expect(queue.find('columns', named('y'))).toBe(null)
  const waiting = queue.find('columns', x)!
  queue.extend(waiting, named('second'))
  queue.settleAll()
  expect(log).toEqual(['slices to first second'])
})
