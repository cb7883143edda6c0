import type { ModelWeights, WhichWeights } from '@dit/model'
import { Command, Option } from 'commander'
import { processOptions } from '../settings/process-options.js'
import { byteCount, integer, path } from '../settings/values.js'
import { EXIT, UsageError } from '../terminal/errors.js'
import { formatBytes } from '../terminal/format.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'
import { withHeads } from '../weights/with-heads.js'
import { type DTypeName, DTYPES } from '../weights/cast.js'
import { findTarget, type Target, writeWeights } from '../weights/convert.js'
import { openSource } from '../weights/open-source.js'
import { describeProcess, isProcessOwn, type ProcessFlags, processOfWeights } from '../weights/process-of.js'

interface ConvertFlags extends ProcessFlags {
  readonly dtype?: DTypeName
  readonly weights?: WhichWeights
  readonly heads?: number
  readonly shardSize?: number
  readonly force?: boolean
  readonly dropProcess?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  dit convert DiT-XL-2-256x256.pt dit-xl-2.safetensors --dtype f16
  dit convert checkpoint.pt dit-folder --weights ema
  dit convert facebook/DiT-XL-2-256 dit-folder --shard-size 1GB
  dit convert dit-folder DiT-XL-2-256x256.pt
  dit convert facebook/DiT-XL-2-256 dit-xl-2.safetensors
  dit convert runs/shapes shapes.safetensors
  dit convert SiT-XL-2-256.pt sit-xl-2.safetensors --process flow

Reads .pt files (nothing in them is executed), safetensors, weights in shards with an index, folders of diffusers, and runs.`

/** `dit convert` */
export function convertCommand(call: Call): Command {
  const command = new Command('convert')
    .summary('convert weights between the formats of torch, safetensors and diffusers')
    .description(
      "Converts the weights of a DiT: to safetensors or torch's format with official names, or to a folder for diffusers.",
    )
    .argument(
      '<from>',
      'a .pt or .safetensors file, an index of shards, a folder of diffusers, a run or its checkpoint',
      path,
    )
    .argument('<to>', 'a .safetensors or .pt file (official names) or a folder (as diffusers reads it)', path)
    .addOption(new Option('--dtype <name>', 'type of the numbers (default: as they are stored)').choices(DTYPES))
    .addOption(
      new Option('--weights <which>', 'of a training state: the average (default) or the trained weights').choices([
        'ema',
        'model',
      ]),
    )
    .option('--shard-size <bytes>', 'cut safetensors into files of at most that size, such as 2GB or 500MiB', byteCount)
    .option('--heads <n>', 'attention heads, where neither file nor size tells them', integer(1))
  for (const option of processOptions()) command.addOption(option)
  return command
    .option('--drop-process', "write weights of a process other than the paper's also where the format cannot say so")
    .option('--force', 'overwrite what is there')
    .option('-q, --quiet', 'print nothing but warnings and errors')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(async (from: string, to: string, flags: ConvertFlags) => {
      call.exitCode = await convert(from, to, flags, createOutput(flags, call))
    })
}

async function convert(from: string, to: string, flags: ConvertFlags, output: Output): Promise<number> {
  const target = await findTarget(to, flags.force === true)
  if (target.kind === 'torch' && flags.shardSize !== undefined) {
    throw new UsageError('--shard-size is for safetensors; a .pt file is always one')
  }
  const source = await openSource(from, flags.weights)
  try {
    const weights = withProcess(withHeads(source, flags.heads), from, flags)
    output.line(
      `from   ${source.path}: ${source.layout === 'diffusers' ? "diffusers'" : 'official'} names${source.which === null ? '' : `, ${source.which} weights`}`,
    )
    if (weights.process !== null) output.line(`       ${describeProcess(weights.process)}`)
    if (weights.assumptions.length > 0) output.notice(`assumed: ${weights.assumptions.join('; ')}`)
    if (isProcessOwn(weights)) checkKept(target, weights, flags.dropProcess === true, output)
    if (target.kind === 'diffusers' && weights.config.timestepFrequencyShift !== 1) {
      output.notice(
        'diffusers computes timestep features with a frequency shift of 1, so its outputs will differ a little',
      )
    }
    const progress = showProgress(output, { total: source.entries.size, unit: 'tensors', isPlainShown: false })
    const onTensor = (done: number, total: number) => progress.update(Math.min(done, total), '')
    const { dtype, shardSize: shardBytes } = flags
    const written = await writeWeights(target, weights, {
      onTensor,
      ...(dtype === undefined ? {} : { dtype }),
      ...(shardBytes === undefined ? {} : { shardBytes }),
    }).finally(() => progress.stop())
    for (const { path: file, size, sha256 } of written) {
      output.line(`to     ${file}: ${formatBytes(size)}, SHA-256 ${sha256}`)
    }
    output.event({
      type: 'end',
      from: source.path,
      to,
      layout: target.kind === 'diffusers' ? 'diffusers' : 'reference',
      model: weights.config,
      process: weights.process,
      assumptions: weights.assumptions,
      files: written,
    })
    return EXIT.ok
  } finally {
    await source.close()
  }
}

/** Weights with the process that flags say, where they say one. */
function withProcess<T extends ModelWeights>(weights: T, name: string, flags: ConvertFlags): T {
  const isAsked = flags.process !== undefined || flags.path !== undefined || flags.predict !== undefined
  if (!isAsked) return weights
  const { process, assumptions } = processOfWeights(name, weights, flags)
  return {
    ...weights,
    process: { kind: 'gaussian', ...process },
    assumptions: [...weights.assumptions, ...assumptions],
  }
}

/** Throws where weights of a process of their own would become those of the paper's diffusion without a word. */
function checkKept({ kind, path: to }: Target, { process }: ModelWeights, isDropped: boolean, output: Output): void {
  if (kind === 'safetensors' || process === null) return
  const what = describeProcess({ ...process })
  const who =
    kind === 'torch'
      ? 'a .pt file has nothing but weights'
      : "diffusers takes weights for those of the paper's DiT, and only dit finds the process in their metadata"
  if (isDropped) {
    output.notice(`${to} does not say ${kind === 'torch' ? '' : 'to diffusers '}how they were trained: ${what}`)
    return
  }
  throw new UsageError(`${to}: ${who}, but these were trained as ${what}; write .safetensors, or add --drop-process`)
}
