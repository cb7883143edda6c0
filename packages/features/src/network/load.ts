import type { TensorFile } from '@dit/checkpoint'
import { type Backend, formatShape, keep, type Params, sameShape, type Shape, type Tensor, tensor } from '@dit/tensor'
import { foldNorm } from './fold-norm.js'
import type { Network } from './network.js'
import { convolutionsOf, type ConvStep } from './step.js'

const NORM_PARTS = ['weight', 'bias', 'running_mean', 'running_var'] as const

/** Names and shapes of what a file of the network holds. */
export function storedShapes({ parts, head: { weight, numClasses } }: Network): Record<string, Shape> {
  const shapes: Record<string, Shape> = {}
  const { convolutions, channels } = convolutionsOf(stepsOf(parts), 3)
  for (const convolution of convolutions) {
    shapes[`${convolution.weight}.weight`] = weightShape(convolution)
    for (const part of NORM_PARTS) shapes[`${convolution.norm}.${part}`] = [convolution.channels]
  }
  shapes[`${weight}.weight`] = [numClasses, channels]
  shapes[`${weight}.bias`] = [numClasses]
  return shapes
}

/**
 * Reads a network's parameters. Each convolution takes in the batch normalization after it.
 *
 * @returns the convolutions' and the head's weights and biases by their names; the caller disposes of them
 * @throws RangeError that lists what is missing, has another shape or does not belong; or where a number is not finite or a variance below 0
 */
export async function loadNetwork(who: string, network: Network, file: TensorFile, backend: Backend): Promise<Params> {
  const shapes = storedShapes(network)
  checkEntries(who, shapes, file)
  const params: Record<string, Tensor> = {}
  const read = async (name: string) => {
    const values = await file.float32(name)
    const wrong = values.findIndex((value) => !Number.isFinite(value))
    if (wrong >= 0)
      throw new RangeError(`${who}: weights must be finite (number ${wrong} of ${name} is ${values[wrong]})`)
    return values
  }
  const put = (name: string, values: ArrayLike<number>, shape: Shape) => {
    params[name] = keep(tensor(values, shape, { backend }))
  }
  try {
    for (const convolution of convolutionsOf(stepsOf(network.parts), 3).convolutions) {
      const { weight: name, norm, channels } = convolution
      const weight = await read(`${name}.weight`)
      const [gain, shift, mean, variance] = await Promise.all(NORM_PARTS.map((part) => read(`${norm}.${part}`)))
      if (variance.some((value) => value < 0)) {
        throw new RangeError(`${who}: ${norm}.running_var must not be negative (least is ${Math.min(...variance)})`)
      }
      const folded = foldNorm(weight, { gain, shift, mean, variance, epsilon: network.epsilon })
      put(`${name}.weight`, folded.weight, weightShape(convolution))
      put(`${name}.bias`, folded.bias, [channels])
    }
    for (const part of ['weight', 'bias']) {
      const name = `${network.head.weight}.${part}`
      put(name, await read(name), shapes[name])
    }
    return params
  } catch (error) {
    for (const param of Object.values(params)) param.dispose()
    throw error
  }
}

const stepsOf = (parts: Network['parts']) => parts.flatMap(({ steps }) => steps)

function weightShape({ channels, inChannels, groups, window }: ConvStep & { readonly inChannels: number }): Shape {
  return [channels, inChannels / groups, ...window]
}

/** Counters of training steps that normalizations of PyTorch carry; nothing depends on them. */
const COUNTER = /\.num_batches_tracked$/

function checkEntries(who: string, wanted: Readonly<Record<string, Shape>>, { entries }: TensorFile): void {
  const missing: string[] = []
  const misshaped: string[] = []
  for (const [name, shape] of Object.entries(wanted)) {
    const entry = entries.get(name)
    if (entry === undefined) missing.push(`${name} ${formatShape(shape)}`)
    else if (!sameShape(entry.shape, shape)) {
      misshaped.push(`${name} ${formatShape(entry.shape)} instead of ${formatShape(shape)}`)
    }
  }
  const unexpected = [...entries.keys()].filter((name) => wanted[name] === undefined && !COUNTER.test(name))
  const problems = [
    listed('missing', missing),
    listed('of another shape', misshaped),
    listed('not expected', unexpected),
  ].filter((problem) => problem !== '')
  if (problems.length > 0) {
    throw new RangeError(`${who}: the file does not hold the weights of this network (${problems.join('; ')})`)
  }
}

const LONGEST_LIST = 4

function listed(problem: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  const rest = names.length - LONGEST_LIST
  return `${problem}: ${names.slice(0, LONGEST_LIST).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}
