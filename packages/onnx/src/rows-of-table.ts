import type { GraphBuilder } from './graph.js'
import { operationsOf } from './operations.js'

/**
 * Rows of a table, `[B, width]`. ONNX counts a negative index from the end, so that label -1 would be the null class without a word: here
 * -1 becomes -1 - rows, which `Gather` refuses. Not every engine checks what it gathers: the rows of wrong indices
 * are NaN besides.
 */
export function rowsOfTable(
  graph: GraphBuilder,
  { name, rows, width }: { name: string; rows: number; width: number },
  indices: string,
): string {
  const { add, reshape, scalar } = operationsOf(graph)
  const [zero, count] = [graph.integers([0], []), graph.integers([rows], [])]
  const isNegative = graph.node('Less', [indices, zero])
  const isBeyond = graph.node('GreaterOrEqual', [indices, count])
  const checked = graph.node('Where', [isNegative, graph.node('Sub', [indices, count]), indices])
  const found = graph.node('Gather', [graph.parameter(name, [rows, width]), checked])
  const wrong = graph.node('Where', [graph.node('Or', [isNegative, isBeyond]), scalar(NaN), scalar(0)]) // [B]
  return add(found, reshape(wrong, [-1, 1]))
}
