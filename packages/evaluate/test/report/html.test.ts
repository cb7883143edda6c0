import { expect, test } from 'vitest'
import { html, type HtmlValue, markup } from '../../src/report/html.js'

test('what is filled into a template is escaped, unless it is markup', () => {
  expect(html`<p title="${'"quoted"'}">${'a <b> & c'}</p>`.text).toBe(
    '<p title="&quot;quoted&quot;">a &lt;b&gt; &amp; c</p>',
  )
  expect(html`${html`<b>${1}</b>`} ${markup('<i>2</i>')}`.text).toBe('<b>1</b> <i>2</i>')
})

test('lists are joined; null and false leave nothing, 0 and empty text what they are', () => {
  expect(html`[${['a', markup('<br>'), null, ['<']]}${null}${false}${0}${''}]`.text).toBe('[a<br>&lt;0]')
})

test('an object of JSON does not pass for markup', () => {
  const forged = JSON.parse('{"text": "<script>alert(1)</script>"}') as HtmlValue
  expect(html`${forged}`.text).not.toContain('<script>')
})
