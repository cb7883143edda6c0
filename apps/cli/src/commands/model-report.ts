import { countedNetwork, type DiTConfig, unpublishedFields } from '@dit/model'
import { countMultiplyAdds, countParameters, memoryBytes, type MemoryEstimate } from '@dit/scaling'
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatQuantity,
  formatShare,
  formatTable,
} from '../terminal/format.js'

/** What a model costs. */
export interface ModelReport {
  readonly model: DiTConfig
  readonly parameters: ReturnType<typeof countParameters>
  /** Of one picture. */
  readonly compute: ReturnType<typeof countMultiplyAdds>
  readonly memory: {
    readonly batchSize: number
    readonly training: MemoryEstimate
    readonly trainingRecompute: MemoryEstimate
    /** One picture, with guidance. */
    readonly sampling: MemoryEstimate
  }
}

export function reportModel(model: DiTConfig, batchSize: number): ModelReport {
  const network = countedNetwork(model)
  return {
    model,
    parameters: countParameters(network),
    compute: countMultiplyAdds(network),
    memory: {
      batchSize,
      training: memoryBytes(network, { batchSize, training: true }),
      trainingRecompute: memoryBytes(network, { batchSize, training: true, recompute: 'block' }),
      sampling: memoryBytes(network, { batchSize: 2 }),
    },
  }
}

export function modelLines({ model, parameters, compute, memory }: ModelReport): string[] {
  const { training, trainingRecompute, sampling, batchSize } = memory
  return [
    ...formatTable([['model', sizeText(model)], ...blockRows(model), ['', inputText(model)]]),
    '',
    ...formatTable(
      [
        ['parameters', formatCount(parameters.total), 'in total'],
        ['', formatCount(parameters.trainable), 'trainable'],
        ...Object.entries(parameters.groups).map(([group, count]) => [
          `  ${GROUPS[group] ?? group}`,
          formatCount(count),
          formatShare(count / parameters.total),
        ]),
      ],
      [false, true],
    ),
    '',
    'compute per picture (1 multiply-add = 2 FLOPs; the "Gflops" of the DiT paper are multiply-adds)',
    ...formatTable(
      [
        ['', 'multiply-adds', 'FLOPs'],
        ['  forward', formatQuantity(compute.multiplyAdds), formatQuantity(compute.flops)],
        ['  forward with guidance', formatQuantity(2 * compute.multiplyAdds), formatQuantity(2 * compute.flops)],
        ['  training', formatQuantity(compute.trainingMultiplyAdds), formatQuantity(compute.trainingFlops)],
      ],
      [false, true, true],
    ),
    '',
    'memory (float32; activations are an estimate, and the engine needs some more)',
    ...formatTable(
      [
        ['', 'total', 'parameters', 'gradients', 'AdamW', 'EMA', 'activations'],
        [`  training, ${formatCount(batchSize)} at a time`, ...memoryRow(training)],
        ['    with --recompute', ...memoryRow(trainingRecompute)],
        ['  sampling one, guided', ...memoryRow(sampling)],
      ],
      [false, true, true, true, true, true, true],
    ),
  ]
}

const GROUPS: Readonly<Record<string, string>> = {
  patchEmbedding: 'patch embedding',
  positions: 'positions',
  timestep: 'timestep embedding',
  labels: 'label embedding',
  blocks: 'blocks',
  final: 'final layer',
}

function memoryRow({ total, parameters, gradients, optimizer, ema, activations }: MemoryEstimate): string[] {
  return [total, parameters, gradients, optimizer, ema, activations].map((bytes) =>
    bytes === 0 ? '-' : formatBytes(bytes),
  )
}

/** The sizes of a network that is known but not built, so that its cost is not. */
export function sketchLines(sketch: DiTConfig): string[] {
  return formatTable([
    ['model', sizeText(sketch)],
    ['', inputText(sketch)],
  ])
}

function sizeText({ hiddenSize, depth, numHeads, mlpRatio, patchSize }: DiTConfig): string {
  return `hidden ${hiddenSize}, depth ${depth}, heads ${numHeads}, MLP ratio ${mlpRatio}, patch ${patchSize}`
}

/** What its blocks have that those of the published DiT do not. */
function blockRows(model: DiTConfig): string[][] {
  const fields = unpublishedFields(model)
  return fields.length === 0 ? [] : [['', fields.map((name) => `${name} ${valueText(model[name])}`).join(', ')]]
}

/** A field of a configuration; of conditions, their names. */
function valueText(value: DiTConfig[keyof DiTConfig]): string {
  if (typeof value !== 'object') return String(value)
  const names = value.map((part) => (typeof part === 'object' ? part.name : String(part)))
  return names.length === 0 ? 'none' : names.join(' and ')
}

function inputText({ inputSize, inChannels, patchSize, numClasses, classDropout, learnSigma }: DiTConfig): string {
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  const tokens = (height / patchSize) * (width / patchSize)
  const classes =
    numClasses === 0
      ? 'conditions'
      : `${formatCounted(numClasses, 'class', 'classes')}${classDropout > 0 ? ' and a null class' : ''}`
  const variance = learnSigma ? ', also predicts a variance' : ''
  return `input ${height}x${width}, ${formatCounted(inChannels, 'channel', 'channels')}, ${formatCounted(tokens, 'token', 'tokens')}; ${classes}${variance}`
}
