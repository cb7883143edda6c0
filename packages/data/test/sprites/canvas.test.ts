import { expect, test } from 'vitest'
import { canvas, groundShadow, mark, outline, paint } from '../../src/sprites/canvas.js'
import { disc, plate } from '../../src/sprites/forms.js'
import { TONES } from '../../src/sprites/ramp.js'

const code = (material: number, tone: number) => material * 5 + tone
const at = (x: number, y: number) => y * 32 + x

test('a part covers the pixels whose centres it holds, and later parts cover earlier ones', () => {
  const c = canvas()
  paint(c, 1, plate(4, 4, 8, 8, TONES.base))
  paint(c, 2, plate(6, 4, 10, 8, TONES.light))
  expect([3, 4, 5, 6, 9, 10].map((x) => c.part[at(x, 5)])).toEqual([0, 1, 1, 2, 2, 0])
  expect(c.code[at(5, 5)]).toBe(code(1, TONES.base))
  expect(c.code[at(6, 5)]).toBe(code(2, TONES.light))
})

test('marks stay on parts, shadows on the ground, and nothing leaves the grid', () => {
  const c = canvas()
  paint(c, 1, plate(-5, 20, 4, 40))
  mark(c, 3, plate(2, 20, 6, 22, TONES.shine))
  groundShadow(c, disc(4, 25, 3, 2))
  expect([3, 4].map((x) => c.code[at(x, 21)])).toEqual([code(3, TONES.shine), canvas().code[at(4, 21)]])
  expect([3, 5].map((x) => c.code[at(x, 24)])).toEqual([code(1, TONES.base), TONES.shadow])
})

test('ground beside a part takes its darkest tone, unless the part is bare', () => {
  const c = canvas()
  paint(c, 2, plate(10, 10, 12, 12))
  paint(c, 3, plate(20, 10, 22, 12), { bare: true })
  outline(c)
  expect([at(9, 10), at(12, 11), at(10, 9), at(11, 12)].map((i) => c.code[i])).toEqual(
    new Array(4).fill(code(2, TONES.outline)),
  )
  const ground = canvas().code
  for (const i of [at(9, 9), at(19, 10), at(22, 11)]) expect(c.code[i]).toBe(ground[i])
})

test('an edged part draws its line on the part below, in the tone of that part', () => {
  const c = canvas()
  paint(c, 1, plate(4, 4, 12, 12))
  paint(c, 2, plate(8, 4, 12, 12), { edged: true })
  outline(c)
  expect([6, 7, 8].map((x) => c.code[at(x, 8)])).toEqual([
    code(1, TONES.base),
    code(1, TONES.outline),
    code(2, TONES.base),
  ])
})
