import { UNIFORM_BYTES } from './constants.js'

/** A number of a parameter block. */
export type ParamType = 'u32' | 'i32' | 'f32'

/** Storage that a kernel reads or writes. */
export interface StorageBinding {
  readonly name: string
  /** Element type in WGSL, such as `f32` or `vec4<f32>`. */
  readonly type: string
  /** True where the kernel writes to it. */
  readonly isOutput: boolean
}

/** A compute shader with all its constants filled in. */
export interface KernelSource {
  /** What errors call it. */
  readonly label: string
  /** Inputs first, then outputs, in the order in which `dispatch` is given them. */
  readonly storage: readonly StorageBinding[]
  /** Fields of the uniform `p`, in order. */
  readonly params: readonly (readonly [name: string, type: ParamType])[]
  readonly workgroupSize: readonly [number, number, number]
  /** Lines before everything, such as `enable f16;`. */
  readonly directives?: string
  /** Whether it reduces over subgroups: `subgroup_number` and `subgroup_count` are then those of the workgroup. */
  readonly useSubgroups?: boolean
  /** Declarations and functions, without `main`. */
  readonly declarations?: string
  /** Body of `main`, which has `wg`, `local` (ids of the workgroup and in it), `lane` (index in it) and `groups`. */
  readonly body: string
}

/** Source text of a whole shader module. */
export function shaderText(source: KernelSource): string {
  const { storage, params, workgroupSize, directives = '', declarations = '', body, useSubgroups = false } = source
  if (params.length * 4 > UNIFORM_BYTES) {
    throw new RangeError(`${source.label}: parameters take ${params.length * 4} bytes of ${UNIFORM_BYTES}`)
  }
  const bindings = storage.map(
    ({ name, type, isOutput }, i) =>
      `@group(0) @binding(${i + 1}) var<storage, ${isOutput ? 'read_write' : 'read'}> ${name}: array<${type}>;`,
  )
  const fields = params.map(([name, type]) => `  ${name}: ${type},`)
  return [
    directives,
    useSubgroups ? 'enable subgroups;\nrequires subgroup_id;' : '',
    fields.length === 0
      ? ''
      : `struct Params {\n${fields.join('\n')}\n}\n@group(0) @binding(0) var<uniform> p: Params;`,
    ...bindings,
    useSubgroups ? 'var<private> subgroup_number: u32;\nvar<private> subgroup_count: u32;' : '',
    declarations,
    `@compute @workgroup_size(${workgroupSize.join(', ')})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) lane: u32, @builtin(num_workgroups) groups: vec3<u32>${useSubgroups ? ',\n  @builtin(subgroup_id) subgroup: u32, @builtin(num_subgroups) subgroups: u32' : ''}) {
${useSubgroups ? '  subgroup_number = subgroup;\n  subgroup_count = subgroups;\n' : ''}${body}
}`,
  ].join('\n')
}

/** Shorthand for a binding. */
export const reads = (name: string, type = 'f32'): StorageBinding => ({ name, type, isOutput: false })
export const writes = (name: string, type = 'f32'): StorageBinding => ({ name, type, isOutput: true })
