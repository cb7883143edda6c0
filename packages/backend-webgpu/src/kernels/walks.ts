import type { Walk } from '@dit/tensor'
import type { ParamType } from '../runtime/kernel.js'

/** Uniform fields of a walk of so many axes and operands: extents, then the steps of each operand. */
export function walkParams(rank: number, operands: number): [string, ParamType][] {
  const axes = Array.from({ length: rank }, (_, axis) => axis)
  return [
    ...axes.map((axis): [string, ParamType] => [`extent${axis}`, 'u32']),
    ...Array.from({ length: operands }, (_, o) =>
      axes.map((axis): [string, ParamType] => [`step${o}_${axis}`, 'u32']),
    ).flat(),
  ]
}

/** Values for `walkParams`. */
export function walkValues({ shape, strides }: Walk): number[] {
  return [...shape, ...strides.flat()]
}

/** WGSL that turns the number `i` of an element into `at0`, `at1`, ...: where each operand has it. */
export function walkCode(rank: number, operands: number): string {
  const lines = ['  var rest = i;']
  for (let o = 0; o < operands; o++) lines.push(`  var at${o} = 0u;`)
  for (let axis = rank - 1; axis >= 0; axis--) {
    lines.push(axis === 0 ? '  let index0 = rest;' : `  let index${axis} = rest % p.extent${axis};`)
    if (axis > 0) lines.push(`  rest = rest / p.extent${axis};`)
    for (let o = 0; o < operands; o++) lines.push(`  at${o} += index${axis} * p.step${o}_${axis};`)
  }
  return lines.join('\n')
}
