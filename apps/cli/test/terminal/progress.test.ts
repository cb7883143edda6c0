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
