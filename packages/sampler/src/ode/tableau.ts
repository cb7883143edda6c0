/**
 * A Runge-Kutta method with fixed steps. From x at t, over dt:
 *
 *   k[i] = velocity(x + dt sum over j < i of stages[i][j] k[j], t + nodes[i] dt)
 *   x'   = x + dt sum of weights[i] k[i]
 */
export interface Tableau {
  readonly nodes: readonly number[]
  /** Row i holds i numbers. */
  readonly stages: readonly (readonly number[])[]
  readonly weights: readonly number[]
}

/**
 * Methods by name, with their order and the calls of the network a step.
 *
 *   euler          1, 1 call      on a flow the same as DDIM
 *   midpoint       2, 2 calls
 *   heun2          2, 2 calls     trapezoid; looks at the two ends of a step only
 *   ralston2       2, 2 calls     least error of its kind
 *   heun3          3, 3 calls
 *   threeEighths4  4, 4 calls     Kutta's 3/8 rule, which torchdiffeq calls rk4
 *   classic4       4, 4 calls     what is usually called RK4
 */
export type RungeKuttaMethod = keyof typeof TABLEAUS

export const TABLEAUS = {
  euler: { nodes: [0], stages: [[]], weights: [1] },
  midpoint: { nodes: [0, 1 / 2], stages: [[], [1 / 2]], weights: [0, 1] },
  heun2: { nodes: [0, 1], stages: [[], [1]], weights: [1 / 2, 1 / 2] },
  ralston2: { nodes: [0, 2 / 3], stages: [[], [2 / 3]], weights: [1 / 4, 3 / 4] },
  heun3: { nodes: [0, 1 / 3, 2 / 3], stages: [[], [1 / 3], [0, 2 / 3]], weights: [1 / 4, 0, 3 / 4] },
  threeEighths4: {
    nodes: [0, 1 / 3, 2 / 3, 1],
    stages: [[], [1 / 3], [-1 / 3, 1], [1, -1, 1]],
    weights: [1 / 8, 3 / 8, 3 / 8, 1 / 8],
  },
  classic4: {
    nodes: [0, 1 / 2, 1 / 2, 1],
    stages: [[], [1 / 2], [0, 1 / 2], [0, 0, 1]],
    weights: [1 / 6, 1 / 3, 1 / 3, 1 / 6],
  },
} as const satisfies Readonly<Record<string, Tableau>>

/**
 * @throws RangeError for an unknown name, or a tableau of your own whose parts do not fit
 */
export function tableauOf(caller: string, method: RungeKuttaMethod | Tableau): Tableau {
  if (typeof method === 'string') {
    if (Object.hasOwn(TABLEAUS, method)) return TABLEAUS[method]
    throw new RangeError(
      `${caller}: method must be one of ${Object.keys(TABLEAUS).join(', ')} (got ${method as string})`,
    )
  }
  const { nodes, stages, weights } = method
  const fits = nodes.length === weights.length && nodes.length === stages.length && nodes.length > 0
  if (fits && nodes[0] === 0 && stages.every((row, i) => row.length === i)) return method
  throw new RangeError(
    `${caller}: a tableau needs as many nodes, stages and weights, the first node 0, and i numbers in row i (got ${nodes.length}, ${stages.length} and ${weights.length})`,
  )
}
