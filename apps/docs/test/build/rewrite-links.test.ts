import { expect, test } from 'vitest'
import { rewriteLinks, type Target } from '../../src/build/rewrite-links.js'

const places: Readonly<Record<string, Target>> = {
  'docs/scaling.md': { address: '/guides/scaling' },
  'packages/tensor': { address: '/reference/tensor/' },
  'docs/examples/one.mjs': { address: '/files/docs/examples/one.mjs' },
  'docs/images/a.png': { address: '/files/docs/images/a.png' },
}
const rewrite = (text: string, source = 'docs/cookbook.md') =>
  rewriteLinks(text, source, (path) => places[path] ?? null)

test('a link to a text becomes one to its page, with its heading', () => {
  expect(rewrite('see [laws](scaling.md#the-fit).')).toBe('see [laws](/guides/scaling#the-fit).')
})

test('a link is read from the place of the text', () => {
  expect(rewrite('[`tensor`](../tensor)', 'packages/model/README.md')).toBe('[`tensor`](/reference/tensor/)')
  expect(rewrite('[t](../packages/tensor/)')).toBe('[t](/reference/tensor/)')
})

test('a file is linked without a target, which VitePress would leave without the base path, and a picture is shown', () => {
  expect(rewrite('[one](examples/one.mjs)')).toBe('[one](/files/docs/examples/one.mjs)')
  expect(rewrite('![a [b]](images/a.png)')).toBe('![a [b]](/files/docs/images/a.png)')
})

test('what the site does not have becomes text', () => {
  expect(rewrite('in [`tools/parity`](../tools/parity) and')).toBe('in `tools/parity` and')
})

test('addresses, headings of the same text and blocks of code stay', () => {
  for (const text of ['[a](https://example.org/scaling.md)', '[a](#scaling)', '```md\n[a](scaling.md)\n```']) {
    expect(rewrite(text)).toBe(text)
  }
})
