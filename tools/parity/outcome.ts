import { type Tensor, toFloat32Array } from '@dit/tensor'
import type { Fixture } from './fixture.js'
import type { Case } from './manifest.js'

/** What a kind's runner hands in: a value for every expected tensor of the case, and claims about facts. */
export class Outcome {
  readonly values = new Map<string, ArrayLike<number>>()
  readonly facts: { readonly claim: string; readonly holds: boolean }[] = []
  /** Why a part of the case could not be run, where the packages lack something. */
  unsupported: string | null = null

  set(name: string, values: ArrayLike<number>): void {
    this.values.set(name, values)
  }

  /** Reads a tensor; disposing of it stays the caller's business. */
  async read(name: string, tensor: Tensor): Promise<void> {
    this.set(name, tensor.dtype === 'f64' ? await tensor.data() : await toFloat32Array(tensor))
  }

  fact(claim: string, holds: boolean): void {
    this.facts.push({ claim, holds })
  }
}

/** Runs the cases of one kind through the public functions of the packages. */
export type KindRunner = (entry: Case, fixture: Fixture, outcome: Outcome, folder: string) => Promise<void>

/** True when `fn` throws an error of the given class. */
export function throws(fn: () => unknown, kind: new (...args: never[]) => Error = RangeError): boolean {
  try {
    fn()
    return false
  } catch (error) {
    return error instanceof kind
  }
}
