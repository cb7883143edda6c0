import { outsideScopes, scope } from '../scope.js'
import { empty, Tensor } from '../tensor.js'

/** One recorded operation. */
export interface TapeNode {
  readonly name: string
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  /** Tensors that `backward` reads: they live until it has run, whoever disposes of them. */
  readonly saves?: readonly Tensor[]
  /**
   * Gradients of the inputs from those of the outputs. An output that nothing depends on comes as null; null is
   * returned for an input without a gradient. May return a given gradient itself.
   */
  backward(gradients: readonly (Tensor | null)[]): readonly (Tensor | null)[]
  /** Frees what else the node holds; called once, after `backward` or in its stead. */
  release?(): void
}

/** What ops record to: a tape, or the observer that `recompute` puts in its place. */
export interface Recorder {
  tracks(tensor: Tensor): boolean
  record(node: TapeNode): void
}

let recorder: Recorder | null = null

/** True where a gradient will be wanted: ops save what their backward pass needs only then. */
export function isTracked(tensor: Tensor): boolean {
  return recorder !== null && recorder.tracks(tensor)
}

/** Enters an op on the current tape, if one of its inputs is tracked. */
export function record(node: TapeNode): void {
  if (recorder !== null && node.inputs.some((input) => recorder!.tracks(input))) recorder.record(node)
  else node.release?.()
}

/** The recorder in force, if any. */
export function currentRecorder(): Recorder | null {
  return recorder
}

/** Runs `fn` with another recorder, or with none. */
export function withRecorder<T>(next: Recorder | null, fn: () => T): T {
  const previous = recorder
  recorder = next
  try {
    return fn()
  } finally {
    recorder = previous
  }
}

/**
 * Runs `fn` without recording: what it makes is constant to the tape. A tensor of the tape that it returns as it came,
 * `stopGradient(() => x)`, comes back as a new one over the same memory.
 */
export function stopGradient<T>(fn: () => T): T {
  const result = withRecorder(null, fn)
  return result instanceof Tensor && isTracked(result) ? (result.view(result.shape) as T) : result
}

/**
 * Records operations and walks them backwards once (reverse-mode differentiation). What a node saved is freed as soon
 * as its backward pass has run.
 */
export class Tape implements Recorder {
  private nodes: TapeNode[] = []
  private readonly tracked = new Set<number>()
  /** Leaves, each with the number of recorded uses whose gradients are still to come. */
  private readonly pending = new Map<number, { readonly leaf: Tensor; uses: number }>()

  constructor(leaves: Iterable<Tensor>) {
    for (const leaf of leaves) {
      this.tracked.add(leaf.id)
      this.pending.set(leaf.id, { leaf, uses: 0 })
    }
  }

  tracks(tensor: Tensor): boolean {
    return this.tracked.has(tensor.id)
  }

  record(node: TapeNode): void {
    for (const output of node.outputs) this.tracked.add(output.id)
    for (const saved of node.saves ?? []) saved.pin()
    for (const input of node.inputs) {
      const leaf = this.pending.get(input.id)
      if (leaf !== undefined) leaf.uses++
    }
    this.nodes.push(node)
  }

  /**
   * Gradients of `output` with respect to the leaves; the tape is empty afterwards.
   *
   * @param seed gradient of `output`, of its shape
   * @param onLeaf called as soon as a leaf's gradient is complete; it takes the gradient over. Leaves that `output`
   *   does not depend on are not reported.
   */
  backward(output: Tensor, seed: Tensor, onLeaf: (leaf: Tensor, gradient: Tensor) => void): void {
    const gradients = new Map<number, Tensor>()
    outsideScopes(() =>
      stopGradient(() => {
        try {
          if (this.tracks(output)) gradients.set(output.id, seed.view(seed.shape))
          this.finishLeaf(output, 0, gradients, onLeaf)
          for (let node = this.nodes.pop(); node !== undefined; node = this.nodes.pop()) {
            this.step(node, gradients)
            for (const input of node.inputs) this.finishLeaf(input, 1, gradients, onLeaf)
          }
        } finally {
          for (const gradient of gradients.values()) gradient.dispose()
          this.release()
        }
      }),
    )
  }

  /** Frees what the recorded operations saved. */
  release(): void {
    for (const node of this.nodes) releaseNode(node)
    this.nodes = []
  }

  private step(node: TapeNode, gradients: Map<number, Tensor>): void {
    const outputGradients = node.outputs.map((output) => gradients.get(output.id) ?? null)
    try {
      if (outputGradients.every((gradient) => gradient === null)) return
      const inputGradients = scope(() => separateHandles(node.backward(outputGradients), outputGradients))
      try {
        node.inputs.forEach((input, i) => {
          const gradient = inputGradients[i] ?? null
          if (gradient === null) return
          if (this.tracks(input)) addGradient(gradients, input.id, gradient)
          else gradient.dispose()
        })
      } catch (error) {
        for (const gradient of inputGradients) gradient?.dispose()
        throw error
      }
    } finally {
      node.outputs.forEach((output, i) => {
        outputGradients[i]?.dispose()
        gradients.delete(output.id)
      })
      releaseNode(node)
    }
  }

  private finishLeaf(
    tensor: Tensor,
    uses: number,
    gradients: Map<number, Tensor>,
    onLeaf: (leaf: Tensor, gradient: Tensor) => void,
  ): void {
    const entry = this.pending.get(tensor.id)
    if (entry === undefined) return
    entry.uses -= uses
    if (entry.uses > 0) return
    const gradient = gradients.get(tensor.id)
    if (gradient === undefined) return
    gradients.delete(tensor.id)
    onLeaf(entry.leaf, gradient)
  }
}

/** A backward pass may return a gradient it was given, or one tensor twice: share the memory then, not the handle. */
function separateHandles(
  gradients: readonly (Tensor | null)[],
  taken: readonly (Tensor | null)[],
): readonly (Tensor | null)[] {
  const seen = new Set(taken)
  return gradients.map((gradient) => {
    if (gradient === null) return null
    if (seen.has(gradient)) return gradient.view(gradient.shape)
    seen.add(gradient)
    return gradient
  })
}

/** Adds in place only where nobody else sees the memory. */
function addGradient(gradients: Map<number, Tensor>, id: number, gradient: Tensor): void {
  const sum = gradients.get(id)
  if (sum === undefined) {
    gradients.set(id, gradient)
    return
  }
  const { kernels } = sum.backend
  if (sum.isSoleOwner) {
    kernels.accumulate(sum, gradient, 1)
  } else {
    const total = scope(() => {
      const out = empty(sum.backend, sum.shape, sum.dtype)
      kernels.binary('add', sum, gradient, out)
      return out
    })
    gradients.set(id, total)
    sum.dispose()
  }
  gradient.dispose()
}

function releaseNode(node: TapeNode): void {
  for (const saved of node.saves ?? []) saved.unpin()
  node.release?.()
}
