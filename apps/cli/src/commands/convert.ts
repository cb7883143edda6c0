import type { ProcessSpec } from '@dit/diffusion'
import { type TensorFile, toFloat32 } from '@dit/checkpoint'
import { type Description, firstNonFinite } from '@dit/model'
import { describeProcess, type OpenDiT, type OpenModel, requireDiT } from '@dit/pipeline'
import { DTYPES, ExistsError, findWeightsTarget, writeAdapter, writeWeights } from '@dit/pipeline/node'
import { diffusersConfigOf } from '@dit/sampler'
import { conditionalDiT } from '@dit/train-ddp'
import { Command } from 'commander'
import { flagOf } from '../settings/flag-of.js'
import { inFlags } from '../settings/option-flag.js'
import { openNamed } from '../settings/model-source.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { WEIGHTS_PROCESS_SETTINGS } from '../settings/process-settings.js'
import { addSettings, firstGiven, type FlagsOf, type Settings } from '../settings/setting.js'
import { SOURCE_SETTINGS } from '../settings/source-settings.js'
import { byteCount, path } from '../settings/values.js'
import { EXIT, UsageError } from '../terminal/errors.js'
import { formatBytes } from '../terminal/format.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'

const CONVERT_SETTINGS = {
  dtype: { flag: '--dtype <name>', help: 'type of the numbers (default: as they are stored)', choices: DTYPES },
  weights: {
    flag: '--weights <which>',
    help: 'of a training state: the moving average (EMA, default) or the trained weights themselves (model)',
    choices: ['ema', 'model'],
  },
  shardSize: {
    flag: '--shard-size <bytes>',
    help: 'split safetensors into files of at most this size, such as 2GB or 500MiB',
    parse: byteCount,
  },
  lora: { ...SOURCE_SETTINGS.lora, help: 'merge these low-rank adapters into the weights' },
  loraScale: SOURCE_SETTINGS.loraScale,
  adapter: { flag: '--adapter', help: 'of a run of `dit train --lora`: write its adapters alone, unmerged' },
  force: { flag: '--force', help: 'overwrite existing files' },
  heads: { ...SOURCE_SETTINGS.heads, help: 'attention heads, if neither the file nor its sizes tell' },
  key: SOURCE_SETTINGS.key,
  ...WEIGHTS_PROCESS_SETTINGS,
  quiet: OTHER_SETTINGS.quiet,
  json: { ...OTHER_SETTINGS.json, help: 'print one JSON object' },
} as const satisfies Settings

type ConvertFlags = FlagsOf<typeof CONVERT_SETTINGS>

const EXAMPLES = `
Examples:
  dit convert DiT-XL-2-256x256.pt dit-xl-2.safetensors --dtype f16 --process gaussian
  dit convert checkpoint.pt dit-folder --weights ema
  dit convert facebook/DiT-XL-2-256 dit-folder --shard-size 1GB
  dit convert dit-folder DiT-XL-2-256x256.pt
  dit convert facebook/DiT-XL-2-256 dit-xl-2.safetensors
  dit convert runs/shapes shapes.safetensors
  dit convert runs/elves elves.safetensors --adapter
  dit convert base.safetensors merged.safetensors --lora elves.safetensors
  dit convert SiT-XL-2-256.pt sit-xl-2.safetensors --process flow

Code in .pt files is never executed.`

/** `dit convert` */
export function convertCommand(call: Call): Command {
  const command = new Command('convert')
    .summary('convert weights between torch, safetensors and diffusers')
    .description(
      'Converts the weights of a DiT to a safetensors or .pt file with the official tensor names, or to a diffusers folder. The process and class names, if known, are written too.',
    )
    .argument(
      '<from>',
      'a .pt or .safetensors file, an index of shards, a diffusers folder, a run or one of its checkpoints',
      path,
    )
    .argument('<to>', 'a .safetensors or .pt file with official names, or a folder for diffusers', path)
  return addSettings(command, CONVERT_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async (from: string, to: string, flags: ConvertFlags) => {
      call.exitCode = await convert(from, to, flags, createOutput(flags, call))
    })
}

async function convert(from: string, to: string, flags: ConvertFlags, output: Output): Promise<number> {
  if (flags.adapter === true) return convertAdapter(from, to, flags, output)
  const target = await findWeightsTarget(to, flags.force === true).catch((cause: unknown) => {
    if (!(cause instanceof ExistsError)) throw cause
    throw new UsageError(`${cause.source} already exists; overwrite it with --force`, { cause })
  })
  if (target.kind === 'torch' && flags.shardSize !== undefined) {
    throw new UsageError('--shard-size is for safetensors; a .pt file cannot be split')
  }
  // `--weights` of this command chooses among the weights of a file.
  const { weights: chosen, ...others } = flags
  const opened = await openNamed(from, others, {
    // Whatever it is told: weights are weights.
    prompted: conditionalDiT,
    ...(chosen === undefined ? {} : { which: chosen }),
  })
  try {
    const model = requireDiT(opened, '`dit convert`')
    const { description, layout, location, weights, assumptions } = model
    const { process } = description
    // Of a run, the checkpoint that is read.
    const source = model.step === null ? from : (location ?? from)
    output.line(
      `from   ${source}: ${layout === 'diffusers' ? 'diffusers' : 'official'} names${model.which === null ? '' : `, ${model.which} weights`}`,
    )
    if (process !== null && model.isProcessKnown) output.line(`       ${describeProcess({ ...process })}`)
    for (const notice of model.notices) output.notice(notice)
    if (assumptions.length > 0) output.notice(inFlags(`assumed: ${assumptions.join('; ')}`))
    if (!model.isProcessKnown) noticeUnknownProcess(model, to, output)
    if (target.kind === 'diffusers') noticeDifferences(description, output)
    const progress = showProgress(output, { total: weights.entries.size, unit: 'tensors', isPlainShown: false })
    const onTensor = (done: number, total: number) => progress.update(Math.min(done, total), '')
    const { dtype, shardSize: shardBytes } = flags
    const nonFinite: string[] = []
    const checked = checkedOnTheWay(weights, nonFinite)
    const written = await writeWeights(target, checked, kept(model), {
      onTensor,
      ...(dtype === undefined ? {} : { dtype }),
      ...(shardBytes === undefined ? {} : { shardBytes }),
    }).finally(() => progress.stop())
    if (nonFinite.length > 0) {
      output.notice(`${nonFinite[0]} holds values that are NaN or infinite: no picture can be made from these weights`)
    }
    if (written.length > 1) output.line(`to     ${target.file}.index.json: open the files by this index`)
    for (const { path: file, size, sha256 } of written) {
      output.line(`to     ${file}: ${formatBytes(size)}, SHA-256 ${sha256}`)
    }
    output.event({
      type: 'end',
      from: source,
      to,
      layout: target.kind === 'diffusers' ? 'diffusers' : 'reference',
      model: description.network,
      process,
      assumptions,
      files: written,
    })
    return EXIT.ok
  } finally {
    await opened.close()
  }
}

async function convertAdapter(from: string, to: string, flags: ConvertFlags, output: Output): Promise<number> {
  const { dtype, shardSize, lora, loraScale } = CONVERT_SETTINGS
  const stray = firstGiven({ dtype, shardSize, lora, loraScale, ...WEIGHTS_PROCESS_SETTINGS }, flags)
  if (stray !== undefined) {
    throw new UsageError(
      `${flagOf(stray)} is for whole weights, but --adapter writes adapters as they were trained; leave it out`,
    )
  }
  const { weights: which, heads, key, force = false } = flags
  const model = await openNamed(from, { heads, key }, which === undefined ? {} : { which })
  try {
    const written = await writeAdapter(to, model, { force }).catch((cause: unknown) => {
      if (!(cause instanceof ExistsError)) throw cause
      throw new UsageError(`${cause.source} already exists; overwrite it with --force`, { cause })
    })
    const { rank, alpha } = model.adapter!.description
    output.line(`from   ${model.location ?? from}: adapters of rank ${rank}, alpha ${alpha}, ${model.which} weights`)
    output.line(`to     ${written.path}: ${formatBytes(written.size)}, SHA-256 ${written.sha256}`)
    output.event({ type: 'end', from: model.location ?? from, to, rank, alpha, files: [written] })
    return EXIT.ok
  } finally {
    await model.close()
  }
}

/** What a file may say for certain: a process that was only assumed is left out. */
function kept({ description, isProcessKnown }: OpenDiT): Description {
  return isProcessKnown ? description : { ...description, process: null }
}

/** Says that a file which is made here will not be sampled without flags. */
function noticeUnknownProcess({ scheduler }: OpenModel, to: string, output: Output): void {
  const obstacle = scheduler?.obstacle ?? null
  output.notice(
    obstacle === null
      ? `${to} does not say what the network was trained on, since nothing here tells; give --process to write it down`
      : `${to} does not say what the network was trained on, which only its scheduler knows: ${inFlags(obstacle)}`,
  )
}

/** Says where diffusers will not compute, or cannot sample, what dit does. */
function noticeDifferences({ network, process }: Description, output: Output): void {
  if (network.timestepFrequencyShift !== 1) {
    output.notice(
      'diffusers embeds timesteps with a frequency shift of 1, so its outputs will differ slightly from those of dit',
    )
  }
  if (process !== null && diffusersConfigOf(process as ProcessSpec) === null) {
    output.notice(
      `diffusers has no scheduler for ${describeProcess({ ...process })}: only dit can sample from this folder; it reads the process from the metadata of the weights`,
    )
  }
}

/** Weights that note, as they are read, which are not finite. */
function checkedOnTheWay(weights: TensorFile, nonFinite: string[]): TensorFile {
  const tensor = async (name: string) => {
    const array = await weights.tensor(name)
    const isFloat = array.dtype === 'F64' || array.dtype === 'F32' || array.dtype === 'F16' || array.dtype === 'BF16'
    if (isFloat && firstNonFinite(toFloat32(array)) >= 0) nonFinite.push(name)
    return array
  }
  return { ...weights, tensor }
}
