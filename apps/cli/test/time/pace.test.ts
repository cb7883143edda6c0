import { expect, test } from 'vitest'
import { createPace, isMeasured } from '../../src/time/pace.js'

/** A pace on a clock that the test moves. */
function paceAt() {
  let now = 100
  const pace = createPace(() => now)
  return { pace, wait: (seconds: number) => void (now += seconds) }
}

test('the first step is a warm-up, and what is skipped or done aside is in no step', async () => {
  const { pace, wait } = paceAt()
  wait(9)
  pace.step()
  expect(pace.secondsPerStep()).toBe(null)
  wait(2)
  pace.step()
  // A checkpoint between two steps.
  wait(50)
  pace.skip()
  wait(1)
  await pace.aside(async () => wait(30))
  wait(3)
  pace.step()
  expect(pace.secondsPerStep()).toBe(3)
  expect(pace.measured).toEqual({ steps: 2, seconds: 6 })
})

test('work aside that fails is left out as well', async () => {
  const { pace, wait } = paceAt()
  pace.step()
  await expect(
    pace.aside(async () => {
      wait(5)
      throw new Error('no disk')
    }),
  ).rejects.toThrow('no disk')
  wait(1)
  pace.step()
  expect(pace.secondsPerStep()).toBe(1)
})

test('the pace is that of the last 20 steps', () => {
  const { pace, wait } = paceAt()
  pace.step()
  for (let i = 0; i < 5; i++) {
    wait(100)
    pace.step()
  }
  for (let i = 0; i < 20; i++) {
    wait(2)
    pace.step()
  }
  expect(pace.secondsPerStep()).toBe(2)
  expect(pace.measured).toEqual({ steps: 25, seconds: 540 })
})

test('three steps and half a second are enough, or 15 seconds', () => {
  const enough = (steps: number, seconds: number) => isMeasured({ measured: { steps, seconds } })
  expect([enough(0, 0), enough(2, 2), enough(3, 0.4), enough(3, 0.5), enough(1, 14), enough(1, 15)]).toEqual([
    false,
    false,
    false,
    true,
    false,
    true,
  ])
})
