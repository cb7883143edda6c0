import { test } from 'vitest'
import { expectBlendsNameless, expectNoiseNameless, expectRealNamed } from './recognised.js'

test.each([24, 32])('names nearly all real pictures at %d pixels', (size) => expectRealNamed(size))

test('finds nothing in normal or uniform noise at 32 pixels', () => expectNoiseNameless(32))

test.each([
  { size: 32, blur: false, least: 0.97 },
  { size: 32, blur: true, least: 0.93 },
])('finds next to nothing in blends of two classes: $size pixels, blurred: $blur', (blend) =>
  expectBlendsNameless(blend),
)
