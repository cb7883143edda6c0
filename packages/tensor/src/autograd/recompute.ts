import { dispose, scope } from '../scope.js'
import { formatShape, sameShape } from '../shape.js'
import { describeValue, Tensor, withOuterReads } from '../tensor.js'
import { currentRecorder, type Recorder, Tape, type TapeNode, withRecorder } from './tape.js'

/**
 * Runs `fn` without keeping its intermediates, and runs it again when the backward pass needs them (gradient
 * checkpointing; Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"). Only the tensors that `fn` reads from
 * outside are saved, parameters and constants included; what it draws must not differ the second time.
 *
 * ```js
 * for (const block of blocks) x = recompute(() => forwardBlock(block, x, c))
 * ```
 *
 * @returns the result of `fn`; the caller disposes of it
 * @throws TypeError when `fn` returns no tensor; in the backward pass, TypeError or RangeError when the second run gives
 *   another dtype or shape
 */
export function recompute(fn: () => Tensor): Tensor {
  const outer = currentRecorder()
  const run = () => scope(() => asTensor(fn()))
  if (outer === null) return run()
  const observer = new Observer(outer)
  const { result: output, outerReads } = withOuterReads(() => withRecorder(observer, run))
  if (!observer.made(output)) return output
  const inputs = [...observer.inputs]
  const { shape, dtype } = output
  outer.record({
    name: 'recompute',
    inputs,
    outputs: [output],
    saves: outerReads,
    backward: ([gradient]) => {
      const tape = new Tape(inputs)
      const gradients = new Map<Tensor, Tensor>()
      try {
        const again = withRecorder(tape, run)
        if (!sameShape(again.shape, shape)) {
          throw new RangeError(
            `recompute: fn must give the same shape each time (first ${formatShape(shape)}, then ${formatShape(again.shape)})`,
          )
        }
        if (again.dtype !== dtype) {
          throw new TypeError(`recompute: fn must give the same dtype each time (first ${dtype}, then ${again.dtype})`)
        }
        tape.backward(again, gradient!, (leaf, leafGradient) => gradients.set(leaf, leafGradient))
      } catch (error) {
        dispose([...gradients.values()])
        throw error
      } finally {
        tape.release()
      }
      return inputs.map((input) => gradients.get(input) ?? null)
    },
  })
  return output
}

function asTensor(result: unknown): Tensor {
  if (result instanceof Tensor) return result
  throw new TypeError(`recompute: fn must return a Tensor (it returned ${describeValue(result)})`)
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

  /** True for the result of a tracked op of this run. */
  made(tensor: Tensor): boolean {
    return this.inside.has(tensor.id)
  }

  record(node: TapeNode): void {
    for (const input of node.inputs) if (this.outer.tracks(input)) this.inputs.add(input)
    for (const output of node.outputs) this.inside.add(output.id)
    node.release?.()
  }
}
