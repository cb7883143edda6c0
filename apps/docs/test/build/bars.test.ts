import { expect, test } from 'vitest'
import { bars } from '../../src/build/bars.js'

const rows = [
  { name: 'a <b>', value: 1, text: '1 s', isOurs: true },
  { name: 'c', value: 10, text: '10 s', isOurs: false },
]
const widths = (html: string) => [...html.matchAll(/width: ([\d.]+)%/g)].map(([, width]) => Number(width))

test('lengths are in proportion, or by the logarithm from a third of the smallest', () => {
  expect(widths(bars(rows, { title: 'x', isLog: false }))).toEqual([10, 100])
  expect(widths(bars(rows, { title: 'x', isLog: true }))).toEqual([32.3, 100]) // log 3 / log 30
})

test('names are text', () => {
  expect(bars(rows, { title: 'x', isLog: false })).toContain('a &lt;b>')
})
