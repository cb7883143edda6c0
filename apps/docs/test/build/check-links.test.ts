import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { brokenLinks } from '../../src/build/check-links.js'

const folder = mkdtempSync(join(tmpdir(), 'dit-site-'))
mkdirSync(join(folder, 'guides'))
writeFileSync(join(folder, 'index.html'), '<h1 id="top">x</h1><a href="/dit/guides/one.html#there">one</a>')
writeFileSync(
  join(folder, 'guides/one.html'),
  `<h2 id="there">x</h2><a href="#there"></a><a href="/dit/">home</a><a href="two.html"></a><a href="/dit/#nowhere"></a>
   <a href="/other/"></a><a href="https://example.org/"></a><img src="https://example.org/a.png">`,
)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('names every link that leads nowhere, and only those', () => {
  expect(brokenLinks(folder, '/dit/')).toEqual([
    'guides/one.html: two.html is not there',
    'guides/one.html: /dit/#nowhere has no such heading',
    'guides/one.html: /other/ is not there',
    'guides/one.html: loads https://example.org/a.png',
  ])
})
