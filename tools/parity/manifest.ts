/** How near a computed tensor must come; see the README of the fixtures. */
export interface Tolerance {
  readonly atol: number
  readonly rtol: number
  /** For each index of the first axis; preferred to `atol`. */
  readonly atol_per_step?: readonly number[]
  /** A slice whose value is only rounding noise, with its own bound. */
  readonly exempt?: { readonly axis: number; readonly start: number; readonly end: number; readonly atol: number }
}

export interface TensorEntry {
  readonly name: string
  readonly role: 'input' | 'expected' | 'weights'
  readonly shape?: readonly number[]
  readonly tolerance?: Tolerance | 'exact'
  /** Name of the float64 result that is compared with instead. */
  readonly ref64?: string
}

// The configurations differ from kind to kind; each kind's runner reads its own.
// eslint-disable-next-line typescript/no-explicit-any
export type Config = any

export interface Case {
  readonly name: string
  readonly kind: string
  readonly config: Config
  readonly file?: string
  readonly bytes?: number
  readonly sha256?: string
  readonly facts?: Config
  /** The input has no answer: an error is the right one. */
  readonly must_refuse?: boolean
  /** There is an answer that must not be given without a warning. */
  readonly should_warn?: boolean
  readonly tensors?: readonly TensorEntry[]
  readonly checkpoint?: { readonly file: string; readonly bytes: number; readonly sha256: string }
}

export interface Manifest {
  readonly cases: readonly Case[]
}
