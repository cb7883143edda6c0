/**
 * Coefficients, constant first, of the polynomial that is 1 at nodes[k] and 0 at the other nodes.
 *
 *   L_k(u) = prod_{j != k} (u - nodes[j]) / (nodes[k] - nodes[j])
 */
export function lagrangeBasis(nodes: readonly number[], k: number): number[] {
  let polynomial = [1]
  for (const [j, node] of nodes.entries()) {
    if (j === k) continue
    const scale = 1 / (nodes[k] - node)
    const times = [...polynomial.map((c) => -c * node * scale), 0]
    for (const [i, c] of polynomial.entries()) times[i + 1] += c * scale
    polynomial = times
  }
  return polynomial
}
