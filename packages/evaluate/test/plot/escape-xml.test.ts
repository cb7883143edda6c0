import { expect, test } from 'vitest'
import { escapeXml } from '../../src/plot/escape-xml.js'

test('text cannot leave an element or an attribute, whichever quotes it has', () => {
  expect(escapeXml(`<script>"a" & 'b'</script>`)).toBe('&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;')
})

test('control characters, which XML cannot hold, are shown', () => {
  expect(escapeXml('a\u0000b\u001bc')).toBe('a\uFFFDb\uFFFDc')
})
