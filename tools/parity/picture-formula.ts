/** The names that a formula may use: row, column, channel. */
export type PictureNames = Readonly<Record<'y' | 'x' | 'c', number>>

type Node = (names: PictureNames) => number

/**
 * Reads a picture that a case describes, such as `value(y, x, c) = (5 x + floor(x y / 8) + 60 c) mod 256`: whole numbers, y, x, c, with
 * + - * / mod, floor and parentheses. What stands side by side is multiplied.
 *
 * @throws Error for anything else in the text
 */
export function pictureFormula(text: string): Node {
  const formula = text.replace(/^\s*value\(y, x, c\)\s*=/, '')
  const tokens = formula.match(/\d+(?:\.\d+)?|[a-z]+|\S/g) ?? []
  let at = 0
  const fail = () => new Error(`picture formula: ${tokens[at] ?? 'the end'} is not expected in ${text}`)
  const isNext = (...wanted: string[]) => at < tokens.length && wanted.includes(tokens[at])
  const expect = (token: string) => {
    if (!isNext(token)) throw fail()
    at++
  }
  const inParentheses = (): Node => {
    expect('(')
    const inner = sum()
    expect(')')
    return inner
  }
  const atom = (): Node => {
    const token = tokens[at]
    if (token === '(') return inParentheses()
    at++
    if (token === 'floor') {
      const inner = inParentheses()
      return (names) => Math.floor(inner(names))
    }
    if (token === 'y' || token === 'x' || token === 'c') return (names) => names[token]
    if (token !== undefined && /^\d/.test(token)) return () => Number(token)
    at--
    throw fail()
  }
  const product = (): Node => {
    let left = atom()
    for (;;) {
      const [one, operator] = [left, tokens[at]]
      if (isNext('*', '/', 'mod')) at++
      else if (!/^(\d.*|[a-z]+|\()$/.test(operator ?? '')) return left
      const two = atom()
      if (operator === '/') left = (names) => one(names) / two(names)
      else if (operator === 'mod') left = (names) => one(names) % two(names)
      else left = (names) => one(names) * two(names)
    }
  }
  const sum = (): Node => {
    let left = product()
    while (isNext('+', '-')) {
      const [one, sign] = [left, tokens[at++] === '+' ? 1 : -1]
      const two = product()
      left = (names) => one(names) + sign * two(names)
    }
    return left
  }
  const result = sum()
  if (at !== tokens.length) throw fail()
  return result
}
