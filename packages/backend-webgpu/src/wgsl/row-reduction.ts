/**
 * Functions that reduce one number per invocation over the workgroup: `row_sum(lane, x)` and `row_max(lane, x)`, which
 * every invocation must call. The sum is a tree, the same for every run.
 */
export function rowReduction(lanes: number): string {
  const reduce = (name: string, combine: string) => `
fn ${name}(lane: u32, x: f32) -> f32 {
  workgroupBarrier();
  row_parts[lane] = x;
  workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half = half / 2u) {
    if (lane < half) { row_parts[lane] = ${combine}; }
    workgroupBarrier();
  }
  return row_parts[0];
}`
  return `var<workgroup> row_parts: array<f32, ${lanes}>;
${reduce('row_sum', 'row_parts[lane] + row_parts[lane + half]')}
${reduce('row_max', 'max(row_parts[lane], row_parts[lane + half])')}`
}
