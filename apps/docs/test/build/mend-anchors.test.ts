import { expect, test } from 'vitest'
import { mendAnchors } from '../../src/build/mend-anchors.js'

test('an underscore of an anchor becomes a hyphen, on this page and on others', () => {
  expect(mendAnchors('[a](#usual_measures) [b](../evaluate/api.md#last_steps)')).toBe(
    '[a](#usual-measures) [b](../evaluate/api.md#last-steps)',
  )
})

test('a number goes where its heading stands only once, and stays where it stands twice', () => {
  expect(mendAnchors('### TensorData\n\n[a](#tensordata-1)')).toContain('[a](#tensordata)')
  expect(mendAnchors('### euler()\n\n### Euler\n\n[a](#euler-1)')).toContain('[a](#euler-1)')
})
