import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { descriptionMetadata, nullLabel } from '@dit/model'
import { denoiserGraph, externalBytes, onnxBytes, type OnnxGraph, parameterBytes, vaeDecoderGraph } from '@dit/onnx'
import { checkAutoencoder, loadAutoencoder, type OpenDiT, requireDiT } from '@dit/pipeline'
import { dispose, reference, toFloat32Array } from '@dit/tensor'
import { Command } from 'commander'
import { givenOptions } from '../settings/config-file.js'
import { openModelOf } from '../settings/model-source.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { WEIGHTS_PROCESS_SETTINGS } from '../settings/process-settings.js'
import { addSettings, type CompleteFlags, type Settings, withDefaults } from '../settings/setting.js'
import { MODEL_ARGUMENT, SOURCE_SETTINGS } from '../settings/source-settings.js'
import { integer, orWord, path } from '../settings/values.js'
import { nameFile } from '../run/named-errors.js'
import { checkWritable } from '../run/run-folder.js'
import { UsageError } from '../terminal/errors.js'
import { formatBytes } from '../terminal/format.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'

const EXPORT_SETTINGS = {
  onnx: { flag: '--onnx <folder>', help: 'folder for the files', parse: path, isRequired: true },
  guidance: {
    flag: '--guidance',
    help: 'build classifier-free guidance into the model, with an input guidance_scale',
  },
  guidanceChannels: {
    flag: '--guidance-channels <n|all>',
    help: 'guide only the first n channels (default 3; all for diffusers weights)',
    parse: orWord('all', integer(1)),
  },
  nullClass: {
    flag: '--null-class <n>',
    help: 'number of the null class, which stands for no class (default: the null class of the model)',
    parse: integer(),
  },
  run: SOURCE_SETTINGS.run,
  checkpoint: SOURCE_SETTINGS.checkpoint,
  weights: SOURCE_SETTINGS.weights,
  vae: {
    ...SOURCE_SETTINGS.vae,
    help: 'also write the decoder of this autoencoder, which turns latents into pictures',
  },
  lora: SOURCE_SETTINGS.lora,
  loraScale: SOURCE_SETTINGS.loraScale,
  raw: SOURCE_SETTINGS.raw,
  heads: SOURCE_SETTINGS.heads,
  key: SOURCE_SETTINGS.key,
  force: { flag: '--force', help: 'overwrite existing files' },
  ...WEIGHTS_PROCESS_SETTINGS,
  quiet: OTHER_SETTINGS.quiet,
  json: OTHER_SETTINGS.json,
} as const satisfies Settings

type ExportFlags = CompleteFlags<typeof EXPORT_SETTINGS>

const EXAMPLES = `
Examples:
  dit export runs/shapes --onnx out
  dit export DiT-XL-2-256 --onnx out --vae DiT-XL-2-256/vae --guidance --guidance-channels all

Writes <folder>/denoiser.onnx, and with --vae <folder>/vae_decoder.onnx. Parameters of 2 GiB and more go to a
second file, <name>.onnx.data; keep the two together.

denoiser.onnx is one call of the network; a sampler calls it at every step.
  xt              in: noisy pictures or latents [batch, C, H, W], float32
  timesteps       in: one per picture [batch]: a timestep of a diffusion, the time of a flow
  labels          in: class numbers [batch], int64; the null class, if any, follows the last class
                  (any other number is an error, or NaN where the runtime does not check)
  guidance_scale  in: a number, only with --guidance
  guidance        in: [batch] scales of guidance, only of students that take them (dit distill)
  output          out: what the network predicts, [batch, C, H, W]: noise, x0 or velocity;
                  networks that learn a variance append its C channels
vae_decoder.onnx turns latents [batch, C, h, w], as the model makes them, into images in about [-1, 1].
The metadata of denoiser.onnx hold the process, the class names and the pixel range, if they are known.`

/** Bytes from which parameters go into a file of their own: protobuf ends at 2 GiB. */
const SECOND_FILE = 2 ** 31 - 2 ** 24

/** `dit export` */
export function exportCommand(call: Call): Command {
  const command = new Command('export')
    .summary('write a model as ONNX, for other runtimes')
    .description(
      'Writes a model as an ONNX file, for onnxruntime and others. With --vae also the decoder of its latents.',
    )
    .argument('[model]', MODEL_ARGUMENT, path)
  return addSettings(command, EXPORT_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async (given: string | undefined) => {
      const flags = withDefaults(EXPORT_SETTINGS, givenOptions(command))
      await exportOnnx(given, flags, createOutput(flags, call))
    })
}

async function exportOnnx(given: string | undefined, flags: ExportFlags, output: Output): Promise<void> {
  const folder = flags.onnx
  await checkWritable('--onnx', folder)
  if (flags.force !== true) await checkFree(folder, flags.vae !== undefined)
  const opened = await openModelOf(given, flags, 'dit export')
  try {
    const model = requireDiT(opened, '`dit export`')
    const { autoencoder, description, weights } = model
    const { network } = description
    if (autoencoder !== null) checkAutoencoder(autoencoder, network.inChannels, 'the model')
    for (const notice of model.notices) output.notice(notice)
    const graph = graphOf(flags, model)
    // What was only assumed is not written: a runtime would take it for the truth.
    const known = { ...description, process: model.isProcessKnown ? description.process : null }
    const read = (name: string) => weights.float32(name)
    await writeGraph(join(folder, 'denoiser.onnx'), graph, read, output, descriptionMetadata(known))
    if (flags.vae === undefined || autoencoder === null) return
    // The graph of the decoder scales latents as the model has them, which need not be the autoencoder's own way.
    const { config, params } = await loadAutoencoder(autoencoder, description.latents, reference())
    const decoder = (name: string) => toFloat32Array(params[name])
    await writeGraph(join(folder, 'vae_decoder.onnx'), vaeDecoderGraph(config), decoder, output)
    dispose(params)
  } finally {
    await opened.close()
  }
}

/** Throws where a file that would be written is there. */
async function checkFree(folder: string, hasVae: boolean): Promise<void> {
  for (const name of ['denoiser.onnx', ...(hasVae ? ['vae_decoder.onnx'] : [])]) {
    const file = join(folder, name)
    if ((await stat(file).catch(() => null)) !== null)
      throw new UsageError(`${file} already exists; overwrite it with --force`)
  }
}

function graphOf(flags: ExportFlags, { description, guidanceChannels: usual }: OpenDiT): OnnxGraph {
  const { network: config } = description
  if (flags.guidance !== true) {
    if (flags.guidanceChannels !== undefined || flags.nullClass !== undefined) {
      throw new UsageError('--guidance-channels and --null-class change guidance; give --guidance as well')
    }
    return denoiserGraph(config)
  }
  if (config.guidanceRange !== undefined) {
    throw new UsageError(
      '--guidance: the model takes the scale of guidance as an input of its own; leave --guidance out',
    )
  }
  const { nullClass = nullLabel(config) ?? undefined, guidanceChannels } = flags
  if (nullClass === undefined) {
    throw new UsageError(
      '--guidance needs a null class, but the model has none; choose one of its classes with --null-class',
    )
  }
  const last = nullLabel(config) ?? config.numClasses - 1
  if (nullClass > last) throw new UsageError(`--null-class ${nullClass} must be a class of the model, 0 to ${last}`)
  if (typeof guidanceChannels === 'number' && guidanceChannels > config.inChannels) {
    throw new UsageError(`--guidance-channels must be 1 to ${config.inChannels}, or all (got ${guidanceChannels})`)
  }
  const channels = guidanceChannels === null ? 'all' : (guidanceChannels ?? (usual === 'all' ? usual : undefined))
  return denoiserGraph(config, { guidance: { nullLabel: nullClass, channels } })
}

/** Writes the file of a graph, and that of its parameters where they are too many, each whole or not at all. */
async function writeGraph(
  file: string,
  graph: OnnxGraph,
  read: (name: string) => Promise<Float32Array>,
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
