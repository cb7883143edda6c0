import { scope } from '../scope.js'
import type { Tensor } from '../tensor.js'
import { currentRecorder, isTracked, type Recorder, Tape, type TapeNode, withRecorder } from './tape.js'

/**
 * Runs `fn` without keeping its intermediates, and runs it again when the backward pass needs them (gradient
 * checkpointing; Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"). Only the tensors that `fn` reads from
 * outside are saved, parameters included; what it draws must not differ the second time.
 *
 * ```js
 * for (const block of blocks) x = recompute(() => forwardBlock(block, x, c))
 * ```
 *
 * @returns the result of `fn`; the caller disposes of it
 */
export function recompute(fn: () => Tensor): Tensor {
  const outer = currentRecorder()
  if (outer === null) return scope(fn)
  const observer = new Observer(outer)
  const output = withRecorder(observer, () => scope(fn))
  const inputs = [...observer.inputs]
  if (inputs.length === 0 || isTracked(output)) return output
  outer.record({
    name: 'recompute',
    inputs,
    outputs: [output],
    saves: inputs,
    backward: ([gradient]) => {
      const tape = new Tape(inputs)
      const gradients = new Map<Tensor, Tensor>()
      try {
        const again = withRecorder(tape, () => scope(fn))
        tape.backward(again, gradient!, (leaf, leafGradient) => gradients.set(leaf, leafGradient))
      } finally {
        tape.release()
      }
      return inputs.map((input) => gradients.get(input) ?? null)
    },
  })
  return output
}

/** Notes which tensors of the outer tape an untaped run reads. */
class Observer implements Recorder {
  readonly inputs = new Set<Tensor>()
  private readonly inside = new Set<number>()
  private readonly outer: Recorder

  constructor(outer: Recorder) {
    this.outer = outer
  }

  tracks(tensor: Tensor): boolean {
    return this.inside.has(tensor.id) || this.outer.tracks(tensor)
  }

  record(node: TapeNode): void {
    for (const input of node.inputs) if (this.outer.tracks(input)) this.inputs.add(input)
    for (const output of node.outputs) this.inside.add(output.id)
    node.release?.()
  }
}
