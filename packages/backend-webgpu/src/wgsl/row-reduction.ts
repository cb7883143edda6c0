/** Functions of a kernel that reduce over its workgroup. */
export interface RowReduction {
  readonly useSubgroups: boolean
  readonly declarations: string
}

/**
 * Functions that reduce one number per invocation over the workgroup: `row_sum(lane, x)` and `row_max(lane, x)`, which
 * every invocation must call. The order of the sum is the same in every run.
 *
 * With subgroups each of these reduces its own numbers, and every invocation the results: two barriers. Without, it is a tree in
 * shared memory, a barrier a level.
 */
export function rowReduction(lanes: number, { useSubgroups }: { readonly useSubgroups: boolean }): RowReduction {
  const parts = `var<workgroup> row_parts: array<f32, ${lanes}>;`
  const make = useSubgroups ? bySubgroups : (name: string, combine: Combine) => byTree(lanes, name, combine)
  const sum = make('row_sum', { subgroup: 'subgroupAdd', of: (a, b) => `${a} + ${b}` })
  const max = make('row_max', { subgroup: 'subgroupMax', of: (a, b) => `max(${a}, ${b})` })
  return { useSubgroups, declarations: `${parts}${sum}${max}` }
}

interface Combine {
  readonly subgroup: string
  readonly of: (a: string, b: string) => string
}

function byTree(lanes: number, name: string, { of }: Combine): string {
  return `
fn ${name}(lane: u32, x: f32) -> f32 {
  workgroupBarrier();
  row_parts[lane] = x;
  workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half = half / 2u) {
    if (lane < half) { row_parts[lane] = ${of('row_parts[lane]', 'row_parts[lane + half]')}; }
    workgroupBarrier();
  }
  return row_parts[0];
}`
}

function bySubgroups(name: string, { subgroup, of }: Combine): string {
  return `
fn ${name}(lane: u32, x: f32) -> f32 {
  let part = ${subgroup}(x);
  workgroupBarrier();
  if (subgroupElect()) { row_parts[subgroup_number] = part; }
  workgroupBarrier();
  var result = row_parts[0];
  for (var i = 1u; i < subgroup_count; i++) { result = ${of('result', 'row_parts[i]')}; }
  return result;
}`
}
