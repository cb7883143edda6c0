import type { Saved, Shape, View } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import type { EngineName } from './engine.js'
import { type Slot, Slots } from './slots.js'

/** Runs bodies of kernels on one tfjs engine: they read views as `tf.Tensor` and return new ones for the outputs. */
export class Runner {
  readonly engine: EngineName
  readonly slots: Slots

  constructor(engine: EngineName, name: string) {
    this.engine = engine
    this.slots = new Slots(name)
  }

  /** Makes this engine the one that tfjs runs ops on. tfjs has one at a time for the whole process. */
  activate(): void {
    // The engine was initialised by tfjs(), so this takes effect before the call returns.
    if (tf.getBackend() !== this.engine) void tf.setBackend(this.engine)
  }

  /** The values of a view, under its shape or another of the same size. Belongs to the slot or to the running kernel. */
  read(view: View, shape: Shape = view.shape): tf.Tensor {
    return asShape(this.contents(view), shape)
  }

  /** What the slot of a view holds, under whatever shape; zeros where nothing was written. */
  contents(view: View): tf.Tensor {
    const slot = view.buffer as Slot
    slot.tensor ??= keepNew(tf.zeros([...view.shape], view.dtype === 'i32' ? 'int32' : 'float32'))
    return slot.tensor
  }

  /** Runs a kernel with one output. */
  run(out: View, body: () => tf.Tensor): void {
    this.activate()
    put(out, keepNew(tf.tidy(() => fresh(body()))))
  }

  /** Runs a kernel with several outputs, some of which may not be wanted. */
  runAll<Name extends string>(
    outputs: Readonly<Record<Name, View | null>>,
    body: () => Readonly<Partial<Record<Name, tf.Tensor>>>,
  ): void {
    this.activate()
    const results = tf.tidy(() => {
      const made = Object.entries<tf.Tensor | undefined>(body()).filter(([name]) => outputs[name as Name] !== null)
      return made.map(([name, tensor]) => ({ name, tensor: keepNew(fresh(tensor!)) }))
    })
    for (const { name, tensor } of results) put(outputs[name as Name]!, tensor)
  }

  /** Keeps tensors of a forward kernel for its backward twin; counted as memory until disposed of. */
  save(tensors: readonly tf.Tensor[]): SavedTensors {
    const slots = tensors.map((tensor) => {
      const slot = this.slots.allocate(tensor.size * 4)
      slot.tensor = keepNew(fresh(tensor))
      return slot
    })
    let isLive = true
    return {
      tensors: slots.map((slot) => slot.tensor!),
      dispose: () => {
        if (isLive) for (const slot of slots) this.slots.free(slot)
        isLive = false
      },
    }
  }
}

export interface SavedTensors extends Saved {
  readonly tensors: readonly tf.Tensor[]
}

/** Tensors that sit in slots. One tensor must not sit in two, since each disposes of its own. */
const owned = new WeakSet<tf.Tensor>()

/** The tensor, or another handle of the same data where a slot holds it already. */
function fresh(tensor: tf.Tensor): tf.Tensor {
  return owned.has(tensor) ? handle(tensor) : tensor
}

function keepNew(tensor: tf.Tensor): tf.Tensor {
  owned.add(tensor)
  return tf.keep(tensor)
}

function put(view: View, tensor: tf.Tensor): void {
  const slot = view.buffer as Slot
  slot.tensor?.dispose()
  slot.tensor = tensor
}

/** Puts a tensor that nobody else owns into the slot of a view. */
export function place(view: View, tensor: tf.Tensor): void {
  put(view, keepNew(tensor))
}

/** Another handle of the same data. Not `tf.clone`, which copies on the wasm engine. */
export function handle(tensor: tf.Tensor): tf.Tensor {
  return tf.reshape(tensor, tensor.shape)
}

/** The same data under another shape. */
export function asShape(tensor: tf.Tensor, shape: Shape): tf.Tensor {
  return tensor.shape.length === shape.length && tensor.shape.every((extent, axis) => extent === shape[axis])
    ? tensor
    : tf.reshape(tensor, [...shape])
}
