import { normals, randomStream } from '@dit/random'

/** The law of the table below. */
export const TABLE_LAW = { E: 0.012, A: 30, B: 20, alpha: 0.4, beta: 0.45 }

/** Six sizes at four budgets as CSV: losses of the law with noise. */
export function scalingCsv(sigma = 0.004): string {
  const points = [1e12, 4e12, 1.6e13, 6.4e13].flatMap((budget) =>
    [2e5, 5e5, 1.25e6, 3e6, 8e6, 2e7].map((n) => ({ budget, n, d: Math.round(budget / (3 * n)) })),
  )
  const z = normals(randomStream(4, 'scaling-table'), points.length)
  const { E, A, B, alpha, beta } = TABLE_LAW
  const lines = points.map(({ budget, n, d }, i) => {
    const loss = (E + A * n ** -alpha + B * d ** -beta) * Math.exp(sigma * z[i])
    return `m${n / 1e3}k-${budget / 1e12},${n},${n / 40},${d},${budget},${loss},0`
  })
  return ['name,multiplyAdds,params,examples,budget,loss,seed', ...lines, ''].join('\n')
}
