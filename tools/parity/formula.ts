import { add, type Backend, div, mul, sub, tensor, type Tensor } from '@dit/tensor'

/**
 * Evaluates a formula of a case, such as `-0.3 * (x - 0.25) * (1 + t / 1000)`, with + - * / and parentheses over numbers and
 * named tensors.
 *
 * @throws Error for anything else in the text
 */
export function evaluate(formula: string, names: Readonly<Record<string, Tensor>>, backend: Backend): Tensor {
  const tokens = formula.match(/\d+(?:\.\d+)?(?:e-?\d+)?|[a-z]+|[-+*/()]|\S/g) ?? []
  let at = 0
  const number = (value: number) => tensor([value], [], { backend })

  const factor = (): Tensor => {
    const token = tokens[at++]
    if (token === '-') return mul(number(-1), factor())
    if (token === '(') {
      const inner = expression()
      if (tokens[at++] !== ')') throw new Error(`formula: ) is missing in ${formula}`)
      return inner
    }
    if (token !== undefined && /^\d/.test(token)) return number(Number(token))
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
  const product = () => chain(factor, { '*': mul, '/': div })
  const expression = (): Tensor => chain(product, { '+': add, '-': sub })

  const result = expression()
  if (at !== tokens.length) throw new Error(`formula: ${tokens[at]} is not expected in ${formula}`)
  return result
}
