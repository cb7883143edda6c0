import { join } from 'node:path'
import { ditConfig, parameterShapes } from '@dit/model'
import { partFile } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { Command } from 'commander'
import { isAddress, reportAddress } from './address-info.js'
import { fileLines, isAdapter, reportFile, tensorLines, type TensorReport } from './file-report.js'
import { findTarget } from './find-target.js'
import { modelLines, reportModel, sketchLines } from './model-report.js'
import { reportRun, runLines } from './run-report.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { addSettings, type FlagsOf, type Settings } from '../settings/setting.js'
import { integer, path } from '../settings/values.js'
import { denoisingOrNull } from '../run/objective-config.js'
import { readRunConfig } from '../run/run-folder.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'

/** Examples at a time for the memory of training, if no recipe says. */
const DEFAULT_BATCH = 32

const INFO_SETTINGS = {
  batch: {
    flag: '--batch <n>',
    help: `examples computed at a time, for the training memory (default: as in the run, else ${DEFAULT_BATCH})`,
    parse: integer(1),
  },
  tensors: { flag: '--tensors', help: 'list every tensor' },
  json: { ...OTHER_SETTINGS.json, help: 'print one JSON object' },
} as const satisfies Settings

type InfoFlags = FlagsOf<typeof INFO_SETTINGS>

const EXAMPLES = `
Examples:
  dit info DiT-XL/2
  dit info @dit/pretrained/heroes
  dit info runs/demo/1
  dit info runs/demo/1/checkpoints/step-0002000 --tensors
  dit info model.safetensors --json
  dit info DiT-XL-2-256x256.pt
  dit info hf:owner/name

Of a model behind an address only the description is fetched, not the weights. HF_TOKEN in the environment opens
private models of hf:owner/name; it is sent to the hub only, and HF_ENDPOINT names another hub.`

/** `dit info` */
export function infoCommand(call: Call): Command {
  const command = new Command('info')
    .summary('describe a model, a run or a checkpoint, and its cost')
    .description(
      'Shows the parameters, compute and memory of a model, the state of a run, or the contents of a checkpoint.',
    )
    .argument(
      '<what>',
      'a run, a checkpoint, a diffusers folder, a .safetensors or .pt file, an address, hf:owner/name, or a model name such as DiT-S/8',
      path,
    )
  return addSettings(command, INFO_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async (what: string, flags: InfoFlags) => {
      const output = createOutput(flags, call)
      if (isAddress(what)) return infoAddress(what, flags, output)
      const target = await findTarget(what)
      if (target.kind === 'model') infoModel(target.name, flags, output)
      else if (target.kind === 'run') await infoRun(target.folder, flags, output)
      else await infoFile(target.path, target.run, flags, output)
    })
}

function infoModel(name: string, { batch = DEFAULT_BATCH, tensors }: InfoFlags, output: Output): void {
  const model = ditConfig(name)
  const report = reportModel(model, batch)
  const list = tensors === true ? { tensors: tensorsOf(parameterShapes(model)) } : {}
  output.event({ type: 'info', kind: 'model', name, ...report, ...list })
  const image = Number(model.inputSize) * 8
  print(output, [`${name}, for ${image}-pixel pictures, as latents of 1/8 of that side`, ...modelLines(report)], list)
}

async function infoAddress(what: string, { batch = DEFAULT_BATCH, tensors }: InfoFlags, output: Output): Promise<void> {
  const { file, assumptions, report, lines } = await reportAddress(what, batch)
  const { tensors: all, nonFinite: _unknown, ...about } = file
  const list = tensors === true ? { tensors: all } : {}
  output.event({ type: 'info', kind: 'address', ...about, assumptions, ...report, ...list })
  print(output, lines, list)
}

async function infoRun(folder: string, { batch, tensors }: InfoFlags, output: Output): Promise<void> {
  const config = await readRunConfig(folder)
  const { recipe } = config
  const run = await reportRun(folder, config)
  const model = denoisingOrNull(config)?.model
  const report = model === undefined ? null : reportModel(model, batch ?? recipe.microBatchSize ?? recipe.batchSize)
  const whole = run.checkpoints.find(({ damage }) => damage === null)
  const list =
    tensors !== true
      ? {}
      : {
          tensors:
            whole === undefined
              ? tensorsOf(model === undefined ? {} : parameterShapes(model))
              : (
                  await reportFile(
                    join(folder, whole.path, await partFile(folderRunStore(folder), whole.path, 'model')),
                  )
                ).tensors,
        }
  output.event({ type: 'info', kind: 'run', folder, config, run, ...report, ...list })
  print(output, [...runLines(folder, config, run), ...(report === null ? [] : ['', ...modelLines(report)])], list)
}

async function infoFile(
  path: string,
  run: string | null,
  { batch, tensors }: InfoFlags,
  output: Output,
): Promise<void> {
  const file = await reportFile(path)
  const config = run === null ? null : await readRunConfig(run)
  const isModel = file.model !== null
  const model = isModel ? ((config === null ? null : denoisingOrNull(config)?.model) ?? file.model) : null
  const assumptions = isModel && config === null ? file.assumptions : []
  const { recipe } = config ?? {}
  const report =
    model === null ? null : reportModel(model, batch ?? recipe?.microBatchSize ?? recipe?.batchSize ?? DEFAULT_BATCH)
  const { tensors: all, ...about } = file
  const list = tensors === true ? { tensors: all } : {}
  output.event({ type: 'info', kind: 'file', run, ...about, assumptions, ...report, ...list })
  const lines = [...fileLines(file), '']
  if (report !== null) {
    lines.push(...modelLines(report))
    if (file.refusal !== null) lines.push('', `It cannot be loaded: ${file.refusal}.`)
  } else if (isAdapter(file)) {
    lines.push(`These are low-rank adapters: apply them with \`dit sample <weights> --lora ${file.path}\`.`)
  } else if (file.refusal?.startsWith('the metadata ')) {
    lines.push(`The description in this file is broken: ${file.refusal}.`)
  } else if (file.needs.length === 0) {
    lines.push(`This is not a DiT: ${file.refusal}.`, 'List its tensors with --tensors.')
  } else {
    if (file.sketch !== null) lines.push(...sketchLines(file.sketch), '')
    lines.push(`It cannot be loaded: ${file.refusal}.`)
  }
  if (assumptions.length > 0) lines.push('', `assumed: ${assumptions.join('; ')}`)
  const isUntold = isModel && config === null && file.layout === 'reference'
  if (isUntold && file.process === null && file.program === null) {
    lines.push(
      '',
      'The file does not say what it was trained as; weights of DiT (diffusion) and SiT (flow) have the same names.',
    )
  }
  print(output, lines, list)
}

function tensorsOf(shapes: ReturnType<typeof parameterShapes>): TensorReport[] {
  return Object.entries(shapes).map(([name, shape]) => ({ name, dtype: 'F32', shape }))
}

function print(
  output: Output,
  lines: readonly string[],
  { tensors }: { readonly tensors?: readonly TensorReport[] },
): void {
  for (const line of lines) output.line(line)
  if (tensors === undefined) return
  output.line()
  for (const line of tensorLines(tensors)) output.line(line)
}
