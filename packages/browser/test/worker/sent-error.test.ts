import { expect, test } from 'vitest'
import { receiveError, sendError } from '../../src/worker/sent-error.js'

const cross = (thrown: unknown) => receiveError(structuredClone(sendError(thrown)))

test('an error crosses with its name, text, stack, plain fields and cause', () => {
  const cause = new TypeError('below')
  const thrown = Object.assign(new RangeError('above', { cause }), {
    name: 'OptionError',
    option: 'steps',
    value: 0,
    deep: {},
  })
  const received = cross(thrown)
  expect(received).toBeInstanceOf(RangeError)
  expect(received).toMatchObject({
    name: 'OptionError',
    message: 'above',
    option: 'steps',
    value: 0,
    stack: thrown.stack,
  })
  expect('deep' in received).toBe(false)
  expect(received.cause).toBeInstanceOf(TypeError)
  expect(received.cause).toMatchObject({ message: 'below' })
})

test('what is no error crosses as one with its text', () => {
  expect(cross('a text')).toMatchObject({ name: 'Error', message: 'a text' })
})

test('an exception of the browser keeps its name', () => {
  expect(cross(new DOMException('stopped', 'AbortError'))).toMatchObject({ name: 'AbortError', message: 'stopped' })
})

test('a ring of causes ends', () => {
  const thrown = new Error('ring')
  thrown.cause = thrown
  let depth = 0
  for (let error: unknown = cross(thrown); error instanceof Error; error = error.cause) depth++
  expect(depth).toBe(6)
})
