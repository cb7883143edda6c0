import { expect, test } from 'vitest'
import { blankPicture, paintLine, type Pixel, pixelAt } from '../../src/playground/paint.js'

/** The picture as letters: a dot for the ground, `#` where it was painted. */
function painted(side: number, from: Pixel, to: Pixel, size: number): string[] {
  const picture = blankPicture(side, [0, 0, 0])
  paintLine(picture, from, to, { size, colour: [9, 8, 7] })
  return Array.from({ length: side }, (_, y) =>
    Array.from({ length: side }, (_, x) => {
      const pixel = [...picture.data.subarray(4 * (y * side + x), 4 * (y * side + x) + 4)].join()
      return pixel === '9,8,7,255' ? '#' : pixel === '0,0,0,255' ? '.' : '?'
    }).join(''),
  )
}

test('a dot has the size of the brush, and stays within the picture', () => {
  expect(painted(4, [1, 2], [1, 2], 1)).toEqual(['....', '....', '.#..', '....'])
  expect(painted(4, [1, 1], [1, 1], 2)).toEqual(['....', '.##.', '.##.', '....'])
  expect(painted(4, [1, 1], [1, 1], 3)).toEqual(['###.', '###.', '###.', '....'])
  expect(painted(4, [3, 0], [3, 0], 3)).toEqual(['..##', '..##', '....', '....'])
})

test('a line has no gaps, whichever way it goes', () => {
  const line = ['#...', '.#..', '..#.', '...#']
  expect(painted(4, [0, 0], [3, 3], 1)).toEqual(line)
  expect(painted(4, [3, 3], [0, 0], 1)).toEqual(line)
  expect(painted(4, [0, 1], [3, 1], 1)).toEqual(['....', '####', '....', '....'])
  expect(painted(4, [-5, 1], [1, 1], 1)).toEqual(['....', '##..', '....', '....'])
})

test('a point of the page is the pixel beneath it, and the nearest one outside', () => {
  const box = { left: 10, top: 20, width: 320, height: 160 }
  expect(pixelAt({ clientX: 10, clientY: 20 }, box, 32)).toEqual([0, 0])
  expect(pixelAt({ clientX: 25, clientY: 29 }, box, 32)).toEqual([1, 1])
  expect(pixelAt({ clientX: 330, clientY: 180 }, box, 32)).toEqual([31, 31])
  expect(pixelAt({ clientX: -50, clientY: 999 }, box, 32)).toEqual([0, 31])
})
