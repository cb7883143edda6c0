import { expect, test } from 'vitest'
import { ROWS, rowsNamed, trainingOf } from '../../tools/speedrun/rows.js'

test('a name stands for one row, and a row that is sampled in another way for one that is trained', () => {
  const names = ROWS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const row of ROWS) expect(trainingOf(row).flags).not.toBe('')
  expect(rowsNamed('default,noise-3').map(({ name }) => name)).toEqual(['default', 'noise-3'])
  expect(() => rowsNamed('defualt')).toThrow(/no row defualt; there are default, paper, noise-1/)
})

test('the eight settings of noise meet each two values of two flags twice', () => {
  const settings = ROWS.filter(({ name }) => name.startsWith('noise-')).map(({ flags }) =>
    ['--lr', '--ema', '--batch', '--schedule'].map((flag) => new RegExp(`${flag} (\\S+)`).exec(flags)![1]),
  )
  expect(settings).toHaveLength(8)
  for (let a = 0; a < 4; a++) {
    for (let b = 0; b < a; b++) {
      const pairs = settings.map((one) => `${one[a]} ${one[b]}`)
      expect(new Set(pairs).size).toBe(4)
      for (const pair of pairs) expect(pairs.filter((one) => one === pair)).toHaveLength(2)
    }
  }
})
