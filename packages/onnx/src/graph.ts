import { type Shape, sizeOf } from '@dit/tensor'

/** Element types of ONNX that are used here, with their numbers in the format. */
export const DATA_TYPES = { float: 1, int64: 7 } as const

export type DataType = keyof typeof DATA_TYPES

/** An input or an output of the whole graph; an extent that is a text is dynamic and has this name. */
export interface GraphPort {
  readonly name: string
  readonly type: DataType
  readonly shape: readonly (number | string)[]
}

/** What an operator is told beside its inputs. */
export type Attribute = number | string | readonly number[] | { readonly float: number }

export interface GraphNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** A constant of the graph: a parameter of the model, or values that are given here. */
export interface Constant {
  readonly name: string
  readonly type: DataType
  readonly shape: Shape
  /** Of a parameter there is only the name by which it is asked for. */
  readonly values: Float32Array | readonly number[] | { readonly parameter: string }
}

/** A network as ONNX describes it, without the values of its parameters. */
export interface OnnxGraph {
  readonly name: string
  readonly inputs: readonly GraphPort[]
  readonly outputs: readonly GraphPort[]
  readonly constants: readonly Constant[]
  readonly nodes: readonly GraphNode[]
}

/** Bytes that the parameters of a graph take in its file. */
export function parameterBytes({ constants }: OnnxGraph): number {
  return constants.reduce((total, { shape, values }) => total + ('parameter' in values ? 4 * sizeOf(shape) : 0), 0)
}

/** Whether two graphs compute the same, operator by operator. */
export function isSameGraph(a: OnnxGraph, b: OnnxGraph): boolean {
  return (
    JSON.stringify(a.nodes) === JSON.stringify(b.nodes) &&
    a.constants.length === b.constants.length &&
    a.constants.every(
      ({ name, values }, i) => name === b.constants[i].name && isSameValues(values, b.constants[i].values),
    )
  )
}

function isSameValues(a: Constant['values'], b: Constant['values']): boolean {
  if ('parameter' in a || 'parameter' in b) return JSON.stringify(a) === JSON.stringify(b)
  return a.length === b.length && Array.prototype.every.call(a, (value, i) => Object.is(value, b[i]))
}

/** Thrown where the number in place of the batch cannot be told from an extent of the network: another number may do. */
export class AmbiguousExtent extends RangeError {}

/** The name of what stands for values that are only known when a graph runs. */
const STAND_IN = '?'

/**
 * Collects nodes and constants. Names of values are made up in order, so that a graph is the same every time; none is that of an input,
 * which come first.
 */
export class GraphBuilder {
  private readonly inputs: GraphPort[] = []
  private readonly outputs: GraphPort[] = []
  private readonly constants = new Map<string, Constant>()
  private readonly nodes: GraphNode[] = []

  input(name: string, type: DataType, shape: GraphPort['shape']): string {
    this.inputs.push({ name, type, shape })
    return name
  }

  /** Ends the graph with a value under a name of its own. */
  output(name: string, value: string, shape: GraphPort['shape']): void {
    this.nodes.push({ op: 'Identity', inputs: [value], outputs: [name], attributes: {} })
    this.outputs.push({ name, type: 'float', shape })
  }

  /** A number. */
  scalar(value: number, type: DataType): string {
    return type === 'float' ? this.floats([value], []) : this.integers([value], [])
  }

  /** In the place of values that are replaced before the graph is finished. */
  standIn(): string {
    return STAND_IN
  }

  /** A parameter of the model, under a shape of its size. */
  parameter(name: string, shape: Shape): string {
    return this.constant({ name, type: 'float', shape, values: { parameter: name } })
  }

  floats(values: Float32Array | readonly number[], shape: Shape): string {
    return this.constant({ name: this.nameOf('float', values, shape), type: 'float', shape, values })
  }

  integers(values: readonly number[], shape: Shape = [values.length]): string {
    return this.constant({ name: this.nameOf('int', values, shape), type: 'int64', shape, values })
  }

  /** One operator with one output. */
  node(op: string, inputs: readonly string[], attributes: GraphNode['attributes'] = {}): string {
    return this.split(op, inputs, 1, attributes)[0]
  }

  /** One operator with several outputs. */
  split(op: string, inputs: readonly string[], count: number, attributes: GraphNode['attributes'] = {}): string[] {
    const outputs = Array.from({ length: count }, (_, i) =>
      this.free(`${op}_${this.nodes.length}${count > 1 ? `_${i}` : ''}`),
    )
    this.nodes.push({ op, inputs, outputs, attributes })
    return outputs
  }

  /**
   * The graph, without what no output needs.
   *
   * @throws AmbiguousExtent where an output needs what `standIn` stands for
   */
  finish(name: string): OnnxGraph {
    const { inputs, outputs } = this
    const needed = new Set(outputs.map((output) => output.name))
    const nodes = this.nodes.toReversed().filter((node) => {
      const isNeeded = node.outputs.some((output) => needed.has(output))
      if (isNeeded) for (const input of node.inputs) needed.add(input)
      return isNeeded
    })
    if (needed.has(STAND_IN))
      throw new AmbiguousExtent('denoiserGraph: a block must not make tensors as long as the batch')
    const constants = [...this.constants.values()].filter((constant) => needed.has(constant.name))
    return { name, inputs, outputs, constants, nodes: nodes.toReversed() }
  }

  private constant(constant: Constant): string {
    const found = this.constants.get(constant.name)
    if (found !== undefined) return found.name
    const made = { ...constant, name: this.free(constant.name) }
    this.constants.set(constant.name, made)
    return made.name
  }

  /** A name that no input has. */
  private free(name: string): string {
    return this.inputs.some((input) => input.name === name) ? this.free(`${name}_`) : name
  }

  /** Short constants are told apart by their values, so that each is there once. */
  private nameOf(kind: string, values: ArrayLike<number>, shape: Shape): string {
    if (values.length > 8) return `${kind}_table_${this.constants.size}`
    return `${kind}_${shape.join('x')}_${Array.from(values).join('_')}`
  }
}
