import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type DiTConfig, nullLabel } from '@dit/model'
import { denoiserGraph, externalBytes, onnxBytes, type OnnxGraph, parameterBytes, vaeDecoderGraph } from '@dit/onnx'
import { dispose, reference, toFloat32Array } from '@dit/tensor'
import { loadCheckpointParams } from '@dit/train-ddp'
import { Command } from 'commander'
import { processOptions } from '../settings/process-options.js'
import { integer, NULL, orWord, path } from '../settings/values.js'
import { nameFile } from '../run/named-errors.js'
import { checkWritable } from '../run/run-folder.js'
import { denoisingOf } from '../run/objective-config.js'
import { findModel } from '../sampling/find-model.js'
import { checkVaeFits, openVae, readVaeConfig } from '../sampling/vae-folder.js'
import { UsageError } from '../terminal/errors.js'
import { formatBytes } from '../terminal/format.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'
import { openSource } from '../weights/open-source.js'
import { type ProcessFlags, processOfWeights } from '../weights/process-of.js'
import { withHeads } from '../weights/with-heads.js'

interface ExportFlags extends ProcessFlags {
  readonly onnx?: string
  readonly run?: string
  readonly checkpoint?: string
  readonly weights?: string
  readonly vae?: string
  readonly raw?: boolean
  readonly heads?: number
  readonly guidance?: boolean
  readonly guidanceChannels?: number | typeof NULL
  readonly nullClass?: number
  readonly quiet?: boolean
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  dit export --onnx out --run runs/shapes
  dit export --onnx out --weights DiT-XL-2-256 --vae DiT-XL-2-256/vae --guidance --guidance-channels all

Writes <folder>/denoiser.onnx, with --vae <folder>/vae_decoder.onnx as well. From 2 GiB on the parameters of a model are in
a second file beside it, <name>.onnx.data.`

/** Bytes from which parameters go into a file of their own: protobuf ends at 2 GiB. */
const SECOND_FILE = 2 ** 31 - 2 ** 24

/** `dit export` */
export function exportCommand(call: Call): Command {
  const command = new Command('export')
    .summary('write a model in the format of other runtimes')
    .description('Writes a model, and the decoder of its latents, as ONNX files.')
    .requiredOption('--onnx <folder>', 'folder of the files that are written', path)
    .option('--run <folder>', 'a run: its newest whole checkpoint is used', path)
    .option('--checkpoint <folder>', 'one checkpoint of a run', path)
    .option('--weights <file|folder>', 'published weights: a .pt or .safetensors file, or a folder of diffusers', path)
    .option('--vae <folder>', 'also the decoder of this autoencoder', path)
    .option('--heads <n>', 'attention heads of --weights, where neither file nor size tells them', integer(1))
  for (const option of processOptions()) command.addOption(option)
  return command
    .option('--raw', 'the trained weights, not their moving average')
    .option('--guidance', 'put classifier-free guidance into the graph, with an input guidance_scale')
    .option(
      '--guidance-channels <n|all>',
      'channels that are guided, from the first (default: 3, but all of a diffusers model)',
      orWord('all', integer(1)),
    )
    .option('--null-class <n>', "number of the class that stands for none (default: the model's)", integer())
    .option('-q, --quiet', 'print nothing but warnings and errors')
    .option('--json', 'print one JSON object a line')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ExportFlags) => {
      await exportOnnx(flags, createOutput(flags, call))
    })
}

/** A model that can be read parameter by parameter. */
interface Source {
  readonly config: DiTConfig
  readonly isDiffusers: boolean
  /** The process that it was trained on; null where nothing tells. */
  readonly process: object | null
  readonly read: (name: string) => Promise<Float32Array>
  close(): Promise<void>
}

async function exportOnnx(flags: ExportFlags, output: Output): Promise<void> {
  const folder = flags.onnx!
  await checkWritable('--onnx', folder)
  const vae = flags.vae === undefined ? null : await readVaeConfig(flags.vae)
  const source = await sourceOf(flags)
  try {
    const { config } = source
    if (vae !== null) checkVaeFits(flags.vae!, vae.config, config.inChannels, 'the model')
    await writeGraph(join(folder, 'denoiser.onnx'), graphOf(flags, source), source.read, output, metadataOf(source))
  } finally {
    await source.close()
  }
  if (vae === null) return
  const backend = reference()
  const { config, params } = await openVae(vae.folder, backend)
  await writeGraph(
    join(folder, 'vae_decoder.onnx'),
    vaeDecoderGraph(config),
    (name) => toFloat32Array(params[name]),
    output,
  )
  dispose(params)
}

function graphOf(flags: ExportFlags, { config, isDiffusers }: Source): OnnxGraph {
  if (flags.guidance !== true) {
    if (flags.guidanceChannels !== undefined || flags.nullClass !== undefined) {
      throw new UsageError('--guidance-channels and --null-class are for --guidance')
    }
    return denoiserGraph(config)
  }
  const { nullClass = nullLabel(config) ?? undefined, guidanceChannels } = flags
  if (nullClass === undefined) {
    throw new UsageError(
      '--guidance needs a null class, which the model has not; --null-class names one of its classes',
    )
  }
  const last = nullLabel(config) ?? config.numClasses - 1
  if (nullClass > last) throw new UsageError(`--null-class ${nullClass}: the model has the classes 0 to ${last}`)
  if (typeof guidanceChannels === 'number' && guidanceChannels > config.inChannels) {
    throw new UsageError(`--guidance-channels must be 1 to ${config.inChannels}, or all (got ${guidanceChannels})`)
  }
  const usual = isDiffusers ? 'all' : undefined
  const channels = guidanceChannels === NULL ? 'all' : (guidanceChannels ?? usual)
  return denoiserGraph(config, { guidance: { nullLabel: nullClass, channels } })
}

/** What the file says beside the graph: a runtime must know how to sample from it. */
function metadataOf({ process }: Source): Readonly<Record<string, string>> {
  return process === null ? {} : { 'dit.process': JSON.stringify(process) }
}

async function sourceOf(flags: ExportFlags): Promise<Source> {
  if (flags.weights !== undefined) {
    if (flags.run !== undefined || flags.checkpoint !== undefined) {
      throw new UsageError('--weights excludes --run and --checkpoint')
    }
    const source = await openSource(flags.weights, flags.raw === true ? 'model' : undefined)
    const weights = withHeads(source, flags.heads)
    const { process } = processOfWeights(flags.weights, weights, flags)
    const isTold = weights.process !== null || flags.process !== undefined
    return {
      config: weights.config,
      isDiffusers: weights.layout === 'diffusers',
      process: isTold ? { kind: 'gaussian', ...process } : null,
      read: (name) => weights.float32(name),
      close: () => weights.close(),
    }
  }
  const stray = (['process', 'path', 'predict'] as const).find((flag) => flags[flag] !== undefined)
  if (stray !== undefined) throw new UsageError(`--${stray} is for --weights; a run knows its own`)
  if (flags.run === undefined && flags.checkpoint === undefined) {
    throw new UsageError('--run, --checkpoint or --weights is needed: what is to be written?')
  }
  const { store, path: checkpoint, config } = await findModel(flags)
  const { model, process } = denoisingOf(config, 'dit export')
  const params = await loadCheckpointParams(store, checkpoint, flags.raw === true ? 'model' : 'ema', reference())
  return {
    config: model,
    isDiffusers: false,
    process,
    read: (name) => toFloat32Array(params[name]),
    close: async () => dispose(params),
  }
}

/** Writes the file of a graph, and that of its parameters where they are too many, each whole or not at all. */
async function writeGraph(
  file: string,
  graph: OnnxGraph,
  read: Source['read'],
  output: Output,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const data = parameterBytes(graph) < SECOND_FILE ? null : `${file}.data`
  if (data !== null) {
    await writePieces(data, externalBytes(graph, read))
    output.line(`onnx   ${data} (${formatBytes(parameterBytes(graph))})`)
  }
  const bytes = await writePieces(
    file,
    onnxBytes(graph, read, { metadata, ...(data === null ? {} : { externalFile: basename(data) }) }),
  )
  const inputs = graph.inputs.map(({ name, type, shape }) => `${name} ${type} [${shape.join(', ')}]`)
  output.line(`onnx   ${file} (${formatBytes(bytes)}): ${inputs.join(', ')}`)
  output.event({ type: 'onnx', file, data, bytes, inputs: graph.inputs, outputs: graph.outputs })
}

async function writePieces(file: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const partial = `${file}.partial`
  let bytes = 0
  async function* counted() {
    for await (const piece of pieces) {
      bytes += piece.byteLength
      yield piece
    }
  }
  try {
    await pipeline(Readable.from(counted()), createWriteStream(partial))
    await rename(partial, file)
    return bytes
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {})
    throw nameFile(error, file)
  }
}
