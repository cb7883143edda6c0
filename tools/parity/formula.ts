import { add, type Backend, cos, div, exp, log, mul, sin, sqrt, sub, tanh, tensor, type Tensor } from '@dit/tensor'

const FUNCTIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = { tanh, sin, cos, exp, log, sqrt }

/**
 * Evaluates a formula of a case, such as `-0.3 * (x - 0.25) * (1 + t / 1000)`, with + - * /, whole powers, a few functions and
 * parentheses over numbers and named tensors. A number needs no sign before what it multiplies: `2 x`.
 *
 * @throws Error for anything else in the text
 */
export function evaluate(formula: string, names: Readonly<Record<string, Tensor>>, backend: Backend): Tensor {
  const tokens = formula.match(/\d+(?:\.\d+)?(?:e-?\d+)?|[a-z]+|[-+*/^()]|\S/g) ?? []
  let at = 0
  const number = (value: number) => tensor([value], [], { backend })

  const factor = (): Tensor => {
    if (tokens[at] === '-') {
      at++
      return mul(number(-1), factor())
    }
    const base = atom()
    if (tokens[at] !== '^') return base
    const power = Number(tokens[at + 1])
    if (!Number.isInteger(power) || power < 1) throw new Error(`formula: no power ${tokens[at + 1]} in ${formula}`)
    at += 2
    return Array.from({ length: power - 1 }).reduce<Tensor>((product) => mul(product, base), base)
  }
  const atom = (): Tensor => {
    const token = tokens[at++]
    if (token === '(') {
      const inner = expression()
      if (tokens[at++] !== ')') throw new Error(`formula: ) is missing in ${formula}`)
      return inner
    }
    if (token !== undefined && /^\d/.test(token)) return number(Number(token))
    const apply = FUNCTIONS[token ?? '']
    if (apply !== undefined && tokens[at] === '(') return apply(atom())
    const named = names[token ?? '']
    if (named === undefined) throw new Error(`formula: ${token ?? 'the end'} is not expected in ${formula}`)
    return named
  }
  const chain = (next: () => Tensor, operators: Record<string, (a: Tensor, b: Tensor) => Tensor>): Tensor => {
    let left = next()
    for (let operator = operators[tokens[at]]; operator !== undefined; operator = operators[tokens[at]]) {
      at++
      left = operator(left, next())
    }
    return left
  }
  /** A factor, or a number and what it multiplies. */
  const joined = (): Tensor => {
    const isNumber = /^\d/.test(tokens[at] ?? '')
    const left = factor()
    return isNumber && /^[a-z(]/.test(tokens[at] ?? '') ? mul(left, factor()) : left
  }
  const product = () => chain(joined, { '*': mul, '/': div })
  const expression = (): Tensor => chain(product, { '+': add, '-': sub })

  const result = expression()
  if (at !== tokens.length) throw new Error(`formula: ${tokens[at]} is not expected in ${formula}`)
  return result
}
