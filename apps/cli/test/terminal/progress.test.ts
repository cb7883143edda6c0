import { expect, test } from 'vitest'
import { createOutput } from '../../src/terminal/output.js'
import { showProgress } from '../../src/terminal/progress.js'

function lines(options: { isPlainShown?: boolean | 'when slow'; interval?: number }): string {
  let text = ''
  const output = createOutput({}, { stdout: { write: (more) => (text += more) }, stderr: { write: () => {} } })
  const progress = showProgress(output, { total: 3, unit: 'pictures', ...options })
  for (let done = 1; done <= 3; done++) progress.update(done, 'checking')
  return text.replace(/^( *\d+\/3 {2}checking).*$/gm, '$1')
}

test('without a terminal the first and the last count are lines; work that is told of when slow says nothing before', () => {
  expect(lines({})).toBe('1/3  checking\n3/3  checking\n')
  expect(lines({ isPlainShown: false })).toBe('')
  expect(lines({ isPlainShown: 'when slow' })).toBe('')
  expect(lines({ isPlainShown: 'when slow', interval: 0 })).toBe('1/3  checking\n2/3  checking\n3/3  checking\n')
})

test('the rate is told in another unit where the work has one', async () => {
  const lines: string[] = []
  const output = createOutput({}, { stdout: { write: (text) => void lines.push(text) }, stderr: { write: () => {} } })
  const progress = showProgress(output, {
    total: 4,
    unit: 'steps',
    rate: { unit: 'pictures', each: 1000 },
    interval: 0,
  })
  await new Promise((resume) => setTimeout(resume, 20))
  progress.update(1, 'first')
  progress.update(4, 'last')
  // 1000 pictures in 20 ms or a little more.
  expect(lines[0]).toMatch(/^1\/4 {2}first {2}(\d{2,3},)?\d+ pictures\/s/)
  expect(lines[1]).toContain(' in total')
})
