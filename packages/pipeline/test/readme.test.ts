import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

// test/examples.test.ts runs the blocks for Node, test/browser/pipeline-page.whole.test.ts the page.
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({ language, code }))
const numLines = (code: string) => code.trimEnd().split('\n').length

test('from a file to a picture it takes at most six lines in Node', () => {
  const [code] = blocks.filter(({ code }) => code.includes('writeFile')).map(({ code }) => code)
  expect(code).toMatch(/openPipeline\('shapes\.safetensors'[\s\S]*toPng/)
  expect(numLines(code)).toBeLessThanOrEqual(6)
})

test('from a file to a picture it takes at most ten lines in a page', () => {
  const [page] = blocks.filter(({ language }) => language === 'html').map(({ code }) => code)
  expect(page).toMatch(/openPipeline\('shapes\.safetensors'[\s\S]*toImageData/)
  expect(numLines(page)).toBeLessThanOrEqual(10)
})
