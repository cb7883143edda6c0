import type { Backend } from '../backend.js'
import type { Operands } from './tolerance.js'

/** One claim about a backend. */
export interface ConformanceCase {
  /** Unique, begins with the group: `matmul: 3x5 by 5x7, A transposed`. */
  readonly name: string
  readonly group: string
  /**
   * Tests the claim.
   *
   * @returns the largest error over its tolerance, between 0 and 1; 0 where nothing was measured
   * @throws Error saying what came out wrong: where, what was expected, the tolerance
   */
  readonly run: (backend: Backend) => Promise<number>
}

export interface ConformanceOptions {
  /**
   * Multiplies the tolerances (exact comparisons stay exact): 1 by default, which suits CPU code. Engines with loose `exp`
   * or `tanh`, such as GPUs, may need more; a function gives a factor by the name of the case.
   */
  readonly factor?: number | ((name: string) => number)
  /**
   * True where the backend's normals must have the bits of `normals` of `@dit/random`, as on every CPU engine. By default
   * so where it has no `randomNormal` kernel; else they must agree within 4 units in the last place.
   */
  readonly exactNormals?: boolean
  /**
   * `f16` or `bf16` where linear layers and attention round their operands to it and sum in f32. What goes through these is then
   * given 2 (m + u s) more: u is the largest relative error of rounding to its 11 bits (2^-11) or 8 (2^-8), m how far the result
   * moves when every input is moved by u, s the largest magnitude of the result. The 2 is for operands that are results of other
   * products: each such rounding stands beside one of a weight, which is an input. Bounds told in eps are told in u. Everything else
   * keeps the tolerances of f32.
   */
  readonly operands?: Operands
}

/** What the makers of cases are given. */
export interface CaseContext {
  /** Makes a case whose body is given the factor for its name. */
  readonly define: (
    group: string,
    claim: string,
    run: (backend: Backend, factor: number) => Promise<number>,
  ) => ConformanceCase
  readonly exactNormals: boolean | undefined
  /** For comparisons that go through linear layers or attention. */
  readonly operands: Operands | undefined
}
