import { expect, test } from 'vitest'
import { extractExample, trimOutput } from '../../tools/release/readme.js'

const fence = '```'

test('takes the first ts block and the text block after it', () => {
  const markdown = `# x\n${fence}sh\nnpm install x\n${fence}\n\n${fence}ts\nconsole.log(1)\n${fence}\nprints\n\n${fence}text\n1\n${fence}\n`
  expect(extractExample(markdown)).toEqual({ code: 'console.log(1)\n', output: '1\n' })
})

test('a README without an example, or without its output, is an error', () => {
  expect(() => extractExample('# x\n')).toThrow('must hold a ```ts block')
  expect(() => extractExample(`${fence}ts\nx()\n${fence}\n`)).toThrow('must be followed by its output')
  expect(() => extractExample(`${fence}ts\nx()\n${fence}\n${fence}sh\n1\n${fence}\n`)).toThrow('must be followed')
})

test('only blanks at the ends of lines and of the text do not count as output', () => {
  expect(trimOutput('a  \nb\n\n')).toBe('a\nb')
  expect(trimOutput(' a\n\nb')).toBe(' a\n\nb')
})
