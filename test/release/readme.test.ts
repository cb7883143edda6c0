import { expect, test } from 'vitest'
import { extractExample, extractExamples, installedPackages, trimOutput } from '../../tools/release/readme.js'

const fence = '```'

test('takes the first ts block and the text block after it', () => {
  const markdown = `# x\n${fence}sh\nnpm install x\n${fence}\n\n${fence}ts\nconsole.log(1)\n${fence}\nprints\n\n${fence}text\n1\n${fence}\n`
  expect(extractExample(markdown)).toEqual({ before: [], code: 'console.log(1)\n', output: '1\n' })
})

test('ts blocks before the one with an output belong to the example', () => {
  const markdown = ['a', 'b', 'c'].map((code) => `${fence}ts\n${code}\n${fence}\n`).join('')
  const text = `${fence}text\n1\n${fence}\n${fence}ts\nd\n${fence}\n`
  expect(extractExample(`${markdown}${text}`)).toEqual({ before: ['a\n', 'b\n'], code: 'c\n', output: '1\n' })
})

test('an install line names packages', () => {
  expect(installedPackages(`${fence}sh\nnpm install @dit/a other\n${fence}\n`)).toEqual(['@dit/a', 'other'])
  expect(installedPackages('# x\n')).toEqual([])
})

test('a README without an example, or without its output, is an error', () => {
  expect(() => extractExample('# x\n')).toThrow('must hold a ```ts block')
  expect(() => extractExample(`${fence}ts\nx()\n${fence}\n`)).toThrow('must be followed by its output')
  expect(() => extractExample(`${fence}ts\nx()\n${fence}\n${fence}sh\n1\n${fence}\n`)).toThrow('must be followed')
})

test('every ts block of a page is found under its heading, with the output that follows it', () => {
  const markdown = `# A\n${fence}ts\n# 1\n${fence}\n## B\n${fence}text\nx\n${fence}\n${fence}ts\n2\n${fence}\n${fence}sh\n${fence}\n`
  expect(extractExamples(markdown)).toEqual([
    { heading: 'A', code: '# 1\n', output: 'x\n' },
    { heading: 'B', code: '2\n', output: null },
  ])
})

test('only blanks at the ends of lines and of the text do not count as output', () => {
  expect(trimOutput('a  \nb\n\n')).toBe('a\nb')
  expect(trimOutput(' a\n\nb')).toBe(' a\n\nb')
})
