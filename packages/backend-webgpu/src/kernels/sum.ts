import { type RequiredKernels, sizeOf, stridesOf, type View } from '@dit/tensor'
import { type ParamType, reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { rowReduction } from '../wgsl/row-reduction.js'

/** Extent, and elements from one index to the next. */
type Run = [extent: number, step: number]

const LANES = 256
/** Elements that one workgroup sums, where one result has more than this many and there are few results. */
const PIECE = 16_384
const MANY_RESULTS = 512

export function sumKernel(runtime: Runtime): Pick<RequiredKernels, 'sum'> {
  return {
    sum(x, axes, out) {
      if (x.dtype === 'i32') throw new TypeError(`${runtime.name}: sum takes f32 (got i32); cast() converts`)
      runSum(runtime, x, axes, out)
    },
  }
}

/** Sum over axes; large sums are cut into parts that are summed in turn. */
export function runSum(runtime: Runtime, x: View, axes: readonly number[], out: View): void {
  const { kept, reduced } = runsOf(x, axes)
  if (reduced.length === 0) {
    runtime.copyBytes(x, out, sizeOf(x.shape) * 4)
    return
  }
  const results = sizeOf(out.shape)
  const terms = reduced.reduce((product, [extent]) => product * extent, 1)
  const pieces = results >= MANY_RESULTS ? 1 : Math.max(1, Math.ceil(terms / PIECE))
  if (pieces === 1) {
    sumRuns(runtime, x, kept, reduced, { terms, pieces, results }, out)
    return
  }
  const partial = runtime.temporary(pieces * results) // [pieces, results]
  sumRuns(runtime, x, kept, reduced, { terms, pieces, results }, partial)
  sumRuns(runtime, partial, [[results, 1]], [[pieces, results]], { terms: pieces, pieces: 1, results }, out)
  runtime.release(partial)
}

interface Counts {
  readonly terms: number
  /** Parts that each sum is cut into; `out` is `[pieces, results]`. */
  readonly pieces: number
  readonly results: number
}

/** One result per row of 32 lanes where neighbours are kept, one per workgroup where they are summed. */
function sumRuns(
  runtime: Runtime,
  x: View,
  kept: readonly Run[],
  reduced: readonly Run[],
  { terms, pieces, results }: Counts,
  out: View,
): void {
  const isColumn = kept.at(-1)![1] === 1 && kept.at(-1)![0] > 1
  const columns = isColumn ? 32 : 1
  const rows = LANES / columns
  const kernel = runtime.kernel(`sum/${kept.length}/${reduced.length}/${columns}`, () => ({
    label: `sum of ${reduced.length} runs, ${kept.length} kept`,
    storage: [reads('x'), writes('out')],
    params: [
      ['results', 'u32'],
      ['terms', 'u32'],
      ['piece', 'u32'],
      ['blocks', 'u32'],
      ...runParams('kept', kept.length),
      ...runParams('reduced', reduced.length),
    ],
    workgroupSize: [LANES, 1, 1],
    ...(isColumn
      ? { declarations: `var<workgroup> parts: array<f32, ${LANES}>;` }
      : rowReduction(LANES, runtime.capabilities)),
    body: `  let group = wg.x + wg.y * groups.x;
  let column = lane % ${columns}u;
  let row = lane / ${columns}u;
  let result = (group % p.blocks) * ${columns}u + column;
  let part = group / p.blocks;
  var sum = 0.0;
  if (result < p.results) {
${indexCode('kept', kept.length, 'result', 'start')}
    let end = min(p.terms, (part + 1u) * p.piece);
    for (var term = part * p.piece + row; term < end; term += ${rows}u) {
${indexCode('reduced', reduced.length, 'term', 'at')}
      sum += x[start + at];
    }
  }
${isColumn ? columnSums(rows, columns) : '  sum = row_sum(lane, sum);'}
  if (row == 0u && result < p.results) { out[part * p.results + result] = sum; }`,
  }))
  const blocks = Math.ceil(results / columns)
  const params = [results, terms, Math.ceil(terms / pieces), blocks, ...kept.flat(), ...reduced.flat()]
  runtime.run(kernel, [x], [out], params, spread(blocks * pieces))
}

/** Sums of the columns of a workgroup, in a tree of rows. */
function columnSums(rows: number, columns: number): string {
  return `  parts[lane] = sum;
  workgroupBarrier();
  for (var half = ${rows / 2}u; half > 0u; half = half / 2u) {
    if (row < half) { parts[lane] += parts[lane + half * ${columns}u]; }
    workgroupBarrier();
  }
  sum = parts[lane];`
}

function runParams(name: string, count: number): [string, ParamType][] {
  return Array.from({ length: count }, (_, i): [string, ParamType][] => [
    [`${name}_extent${i}`, 'u32'],
    [`${name}_step${i}`, 'u32'],
  ]).flat()
}

/** WGSL that turns the number `index` of an element of the runs into a distance `at`. */
function indexCode(name: string, count: number, index: string, at: string): string {
  const lines = [`    var ${at} = 0u;`, `    var ${at}_rest = ${index};`]
  for (let i = count - 1; i >= 0; i--) {
    lines.push(`    ${at} += (${at}_rest % p.${name}_extent${i}) * p.${name}_step${i};`)
    if (i > 0) lines.push(`    ${at}_rest = ${at}_rest / p.${name}_extent${i};`)
  }
  return lines.join('\n')
}

/** The axes that stay and those that are summed over, with neighbours of one kind merged. */
function runsOf(x: View, axes: readonly number[]): { kept: Run[]; reduced: Run[] } {
  const strides = stridesOf(x.shape)
  const kept: Run[] = []
  const reduced: Run[] = []
  let previous: Run[] | null = null
  for (let axis = 0; axis < x.shape.length; axis++) {
    const extent = x.shape[axis]
    if (extent === 1) continue
    const runs: Run[] = axes.includes(axis) ? reduced : kept
    const last = runs.at(-1)
    if (previous === runs && last !== undefined) {
      last[0] *= extent
      last[1] = strides[axis]
    } else runs.push([extent, strides[axis]])
    previous = runs
  }
  if (kept.length === 0) kept.push([1, 0])
  return { kept, reduced }
}
