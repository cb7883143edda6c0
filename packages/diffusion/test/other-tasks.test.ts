import { expect, test } from 'vitest'
import { otherTasks } from '../src/other-tasks.js'

test('resolves after the timers that are due', async () => {
  let fired = false
  setTimeout(() => (fired = true), 0)
  for (let i = 0; i < 1000 && !fired; i++) await otherTasks()
  expect(fired).toBe(true)
})
