import MarkdownIt from 'markdown-it'
import { expect, test } from 'vitest'
import type { MarkdownRenderer } from 'vitepress'
import { mathRules } from '../../src/site/math.js'

const md = new MarkdownIt({ html: true })
mathRules(
  md as unknown as MarkdownRenderer,
  (tex, isDisplay) => `<math>${isDisplay ? 'display' : 'inline'} "${tex}"</math>`,
)
const render = (text: string, math = true) => md.render(text, { frontmatter: { math } })

test('formulas stand in lines and in blocks of their own', () => {
  expect(render('with $x_0$, and')).toContain('v-html="&quot;&lt;math>inline \\&quot;x_0\\&quot;&lt;/math>&quot;"')
  const block = render('before\n\n$$\na < b\n$$\n\nafter')
  expect(block).toContain('display \\&quot;a &lt; b\\&quot;')
  expect(block).toContain('<p>after</p>')
})

test('a text that does not ask for formulas keeps its dollars', () => {
  expect(render('costs $1 or $2', false)).toContain('costs $1 or $2')
})
