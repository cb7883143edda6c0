import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listFiles, readText } from '../../../../test/sources.js'
import { ownPages, repository } from '../../src/build/paths.js'
import { FIGURE_NAMES } from '../../src/figures/names.js'
import { GUIDES } from '../../src/site/guides.js'
import { HOW_IT_WORKS } from '../../src/site/navigation.js'

const pages = listFiles(ownPages).filter((path) => path.endsWith('.md'))

test('every text of docs/ is a guide, and every guide is there', () => {
  const texts = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md'))
  const sources = GUIDES.map(({ source }) => source)
  expect(texts.filter((name) => !sources.includes(`docs/${name}`))).toEqual([])
  expect(sources.filter((source) => !existsSync(join(repository, source)))).toEqual([])
})

test('the files that pages name as the place of an equation are there, and each page but the first names one', () => {
  for (const { link } of HOW_IT_WORKS.slice(1)) {
    const text = readText(join(ownPages, `${link}.md`))
    const paths = [...text.matchAll(/<SourceFile path="([^"]+)" \/>/g)].map(([, path]) => path)
    expect(paths.length, link).toBeGreaterThan(0)
    expect(
      paths.filter((path) => !existsSync(join(repository, path))),
      link,
    ).toEqual([])
  }
})

test('every figure that a page names is a component', async () => {
  const { figures } = await import('../../src/figures/index.js')
  const named = new Set(
    pages.flatMap((path) => [...readText(path).matchAll(/<(\w+Figure)\b/g)].map(([, name]) => name)),
  )
  expect([...named].toSorted()).toEqual(figures.map(({ name }) => name!).toSorted())
  expect(figures.map(({ name }) => name)).toEqual(FIGURE_NAMES)
})

test('dit still says every error that the page of errors quotes', () => {
  const sources = [...readdirSync(join(repository, 'packages')).map((name) => `packages/${name}`), 'apps/cli']
    .flatMap((folder) => listFiles(join(repository, folder, 'src')))
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(path, 'utf8').replaceAll(/\\(['`])/g, '$1'))
    .join('\n')
  const quoted = [...readText(join(ownPages, 'errors.md')).matchAll(/^```text\n(.*)\n```$/gm)].map(([, line]) => line)
  expect(quoted.length).toBeGreaterThan(15)
  const parts = quoted.flatMap((line) => line.split('…').map((part) => part.trim()))
  expect(parts.filter((part) => part !== '' && !sources.includes(part))).toEqual([])
})
