import { type Backend, type DType, type Shape, type Tensor, type View, zeros } from '@dit/tensor'
import { AmbiguousExtent, type GraphBuilder } from '../graph.js'
import { kernelsOf } from './kernels.js'

/** What stands behind the memory of a tensor: a value of the graph, as it came and under other shapes. */
interface Memory {
  value: { readonly shape: Shape; readonly names: Map<string, string>; readonly fill: number | null } | null
}

/** What kernels need of values. */
export interface TracedValues {
  readonly graph: GraphBuilder
  /** The value behind a view, under its shape. */
  readonly read: (view: View) => string
  /** What every element of a view is, if that is known. */
  readonly fillOf: (view: View) => number | null
  /** Makes a value what stands behind a view from now on. */
  readonly write: (view: View, name: string) => void
  readonly fill: (view: View, value: number) => void
  /** A value stretched to a shape that it broadcasts to. */
  readonly expand: (name: string, shape: Shape) => string
  /** Whether an extent grows with the batch. */
  readonly isDynamic: (extent: number) => boolean
}

/** A tensor library whose values are those of a graph: what is computed with it becomes operators. */
export interface Tracing extends TracedValues {
  readonly backend: Backend
  /** The tensor of a value that the graph has. */
  readonly tensor: (name: string, shape: Shape, dtype?: DType) => Tensor
}

/**
 * A backend that computes nothing and writes down what it is asked for as operators of ONNX. Shapes hold a number in place of the batch, a
 * prime, and what is a multiple of it is taken to grow with the batch. Where an extent of the network is one by chance the graph is wrong, or
 * `AmbiguousExtent` is thrown: graphs for two primes must be compared.
 *
 * @param batch that prime
 * @param sized an input of the graph whose first axis is the batch
 */
export function tracing(graph: GraphBuilder, batch: number, sized: string): Tracing {
  const isDynamic = (extent: number) => extent !== 0 && extent % batch === 0
  const memoryOf = (view: View) => view.buffer as Memory

  /** The shape as a constant, with -1 for what grows with the batch. */
  const target = (shape: Shape) => {
    if (shape.filter(isDynamic).length > 1) {
      throw new AmbiguousExtent(
        `denoiserGraph: of [${shape.join(', ')}] more than one extent is a multiple of ${batch}`,
      )
    }
    return graph.integers(shape.map((extent) => (isDynamic(extent) ? -1 : extent)))
  }
  /** The shape as a value of the graph. */
  const extents = (shape: Shape) => {
    if (!shape.some(isDynamic)) return graph.integers(shape)
    const count = graph.node('Shape', [sized], { start: 0, end: 1 })
    const parts = shape.map((extent) =>
      isDynamic(extent) ? graph.node('Mul', [count, graph.integers([extent / batch])]) : graph.integers([extent]),
    )
    return graph.node('Concat', parts, { axis: 0 })
  }

  const expand = (name: string, shape: Shape) => graph.node('Expand', [name, extents(shape)])

  const values: TracedValues = {
    graph,
    expand,
    isDynamic,
    read(view) {
      const { value } = memoryOf(view)
      if (value === null) throw new Error('denoiserGraph: a tensor was read before it was written')
      const key = view.shape.join()
      const found = value.names.get(key)
      if (found !== undefined) return found
      const name =
        value.fill === null
          ? graph.node('Reshape', [value.names.get(value.shape.join())!, target(view.shape)])
          : expand(graph.scalar(value.fill, view.dtype === 'i32' ? 'int64' : 'float'), view.shape)
      value.names.set(key, name)
      return name
    },
    fillOf: (view) => memoryOf(view).value?.fill ?? null,
    write(view, name) {
      memoryOf(view).value = { shape: view.shape, names: new Map([[view.shape.join(), name]]), fill: null }
    },
    fill(view, fill) {
      memoryOf(view).value = { shape: view.shape, names: new Map(), fill }
    },
  }
  const backend: Backend = {
    name: 'onnx',
    float: 'f32',
    dtypes: ['f32', 'i32'],
    supportsViews: false,
    maxBufferBytes: Infinity,
    allocate: (): Memory => ({ value: null }),
    free() {},
    upload(view, data) {
      // Of the host's values for a batch only stand-ins are here: they are replaced before the graph ends.
      const name = view.shape.some(isDynamic)
        ? graph.standIn()
        : data instanceof Int32Array
          ? graph.integers(Array.from(data), view.shape)
          : graph.floats(Float32Array.from(data), view.shape)
      values.write(view, name)
    },
    download: () => Promise.reject(new Error('denoiserGraph: a block must not read values while its graph is made')),
    memory: () => ({ buffers: 0, bytes: 0, peakBytes: 0 }),
    kernels: kernelsOf(values),
    dispose() {},
  }
  return {
    ...values,
    backend,
    tensor(name, shape, dtype = 'f32') {
      const made = zeros(shape, { backend, dtype })
      values.write(made, name)
      return made
    },
  }
}
