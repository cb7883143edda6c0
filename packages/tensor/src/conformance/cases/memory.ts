import { Tape, withRecorder } from '../../autograd/tape.js'
import { valueAndGrad } from '../../autograd/value-and-grad.js'
import type { Backend, BackendMemory } from '../../backend.js'
import { add, mul } from '../../ops/binary.js'
import { full, zeros } from '../../ops/create.js'
import { attention } from '../../ops/attention.js'
import { gatedResidual } from '../../ops/gated-residual.js'
import { layerNormModulate } from '../../ops/layer-norm.js'
import { linear } from '../../ops/linear.js'
import { matmul } from '../../ops/matmul.js'
import { mean } from '../../ops/reduce.js'
import { permute, reshape } from '../../ops/shape.js'
import { exp, square } from '../../ops/unary.js'
import { dispose, scope } from '../../scope.js'
import type { Tensor } from '../../tensor.js'
import type { CaseContext, ConformanceCase } from '../case.js'

/** Buffer accounting. (Every other case also checks that it leaves no buffer behind.) */
export function memoryCases({ define }: CaseContext): ConformanceCase[] {
  return [
    define(
      'memory',
      'a tensor is one buffer of at least its bytes until it is disposed of, twice if you like',
      async (backend) => {
        const before = backend.memory()
        const x = zeros([3, 5], { backend })
        const during = backend.memory()
        expectBuffers('after one tensor', backend, before.buffers + 1)
        if (during.bytes - before.bytes < x.byteLength) {
          throw new Error(`a tensor of ${x.byteLength} bytes added ${during.bytes - before.bytes} to memory().bytes`)
        }
        if (during.peakBytes < during.bytes) {
          throw new Error(`peakBytes is ${during.peakBytes} with ${during.bytes} bytes alive`)
        }
        x.dispose()
        x.dispose()
        return unchanged(backend, before)
      },
    ),
    define('memory', 'peakBytes remembers the largest bytes', async (backend) => {
      const before = backend.memory()
      const x = full([64, 1024], 1, { backend })
      const { bytes } = backend.memory()
      x.dispose()
      const { peakBytes } = backend.memory()
      if (peakBytes < bytes) throw new Error(`peakBytes is ${peakBytes} although ${bytes} bytes were alive`)
      return unchanged(backend, before)
    }),
    define('memory', 'the shapes of a tensor share one buffer, freed with the last of them', async (backend) => {
      const before = backend.memory()
      const x = zeros([4, 6], { backend })
      const y = reshape(x, [24])
      expectBuffers('with two shapes', backend, before.buffers + 1)
      x.dispose()
      expectBuffers('with the second shape alone', backend, before.buffers + 1)
      y.dispose()
      return unchanged(backend, before)
    }),
    define('memory', 'every op leaves exactly its result behind', async (backend) => {
      const inputs = makeInputs(backend)
      const before = backend.memory()
      for (const [name, op] of Object.entries(ops)) {
        const out = op(inputs)
        expectBuffers(`after ${name}`, backend, before.buffers + 1)
        out.dispose()
        expectBuffers(`after the result of ${name} was disposed of`, backend, before.buffers)
      }
      unchanged(backend, before)
      dispose(inputs)
      return 0
    }),
    define('memory', 'the backward pass of every op leaves exactly the gradients behind', async (backend) => {
      const inputs = makeInputs(backend)
      const before = backend.memory()
      for (const [name, op] of Object.entries(ops)) {
        const { loss, gradients } = valueAndGrad(inputs, (tensors) => ({ loss: mean(square(op(tensors))) }))
        expectBuffers(`after the gradients of ${name}`, backend, before.buffers + 1 + Object.keys(inputs).length)
        dispose([loss, gradients])
        expectBuffers(`after the gradients of ${name} were disposed of`, backend, before.buffers)
      }
      unchanged(backend, before)
      dispose(inputs)
      return 0
    }),
    define('memory', 'a tape that is dropped before its backward pass frees what it saved', async (backend) => {
      const inputs = makeInputs(backend)
      const before = backend.memory()
      for (const op of Object.values(ops)) {
        const tape = new Tape(Object.values(inputs))
        dispose(withRecorder(tape, () => scope(() => op(inputs))))
        tape.release()
      }
      unchanged(backend, before)
      dispose(inputs)
      return 0
    }),
    define(
      'memory',
      'what the tape pins is freed when the backward pass has run, not when it is disposed of',
      async (backend) => {
        const before = backend.memory()
        const x = full([8], 0.5, { backend })
        const tape = new Tape([x])
        const y = withRecorder(tape, () => exp(x))
        const z = withRecorder(tape, () => square(y))
        y.dispose()
        expectBuffers('with y pinned', backend, before.buffers + 3)
        const seed = full([8], 1, { backend })
        tape.backward(z, seed, (_, gradient) => gradient.dispose())
        expectBuffers('after the backward pass', backend, before.buffers + 3)
        dispose([x, z, seed])
        return unchanged(backend, before)
      },
    ),
    define('memory', 'the number of buffers is constant over 50 steps', async (backend) => {
      const inputs = makeInputs(backend)
      const before = backend.memory()
      for (let step = 0; step < 50; step++) {
        scope(() => {
          valueAndGrad(inputs, ({ x, gate, h }) => ({ loss: mean(square(gatedResidual(x, gate, h))) }))
        })
        expectBuffers(`after step ${step}`, backend, before.buffers)
      }
      unchanged(backend, before)
      dispose(inputs)
      return 0
    }),
  ]
}

const ops: Record<string, (tensors: Readonly<Record<string, Tensor>>) => Tensor> = {
  add: ({ x, h }) => add(x, h),
  'mul, broadcast': ({ x, row }) => mul(x, row),
  mean: ({ x }) => mean(x, [1]),
  permute: ({ x }) => permute(x, [2, 0, 1]),
  matmul: ({ x, h }) => matmul(x, h, { transposeB: true }),
  linear: ({ x, weight, row }) => linear(x, weight, row, { activation: 'gelu' }),
  layerNormModulate: ({ x, gate, shift }) => layerNormModulate(x, shift, gate, 1e-6),
  attention: ({ x }) => attention(x, 2),
  gatedResidual: ({ x, gate, h }) => gatedResidual(x, gate, h),
}

function makeInputs(backend: Backend): Record<string, Tensor> {
  return {
    x: full([2, 3, 6], 0.5, { backend }),
    h: full([2, 3, 6], -0.25, { backend }),
    gate: full([2, 6], 2, { backend }),
    shift: full([2, 6], 1, { backend }),
    weight: full([6, 6], 0.125, { backend }),
    row: full([6], 3, { backend }),
  }
}

function expectBuffers(when: string, backend: Backend, want: number): void {
  const { buffers } = backend.memory()
  if (buffers !== want) throw new Error(`${when}: memory().buffers is ${buffers}, expected ${want}`)
}

function unchanged(backend: Backend, before: BackendMemory): number {
  const { buffers, bytes } = backend.memory()
  if (buffers !== before.buffers || bytes !== before.bytes) {
    throw new Error(
      `expected ${before.buffers} buffers with ${before.bytes} bytes as before (got ${buffers} with ${bytes} bytes)`,
    )
  }
  return 0
}
