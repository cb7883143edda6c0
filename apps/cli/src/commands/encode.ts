import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { loadAutoencoder, type OpenAutoencoder } from '@dit/pipeline'
import { autoencoderOf, DTYPES, STORED } from '@dit/pipeline/node'
import { type Params, toFloat32Array } from '@dit/tensor'
import { spatialFactor } from '@dit/vae'
import { Command } from 'commander'
import { chosenBackend, ENGINE_SETTINGS } from '../engines/engine-options.js'
import { openEngine } from '../engines/open-engine.js'
import { showEngine } from '../engines/show-engine.js'
import { type CarriedConditions, carriedConditions, conditionsText } from '../run/conditions.js'
import { isGeneratedName } from '../run/generated-data.js'
import { checkFolderOptions } from '../run/check-folder-options.js'
import { encodeFolder, removePartial, verifyShards } from '../run/encode-folder.js'
import { isComplete, LATENTS_FILE, LATENTS_FORMAT, type LatentsManifest, readManifest } from '../run/manifest.js'
import { givenOptions } from '../settings/config-file.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { addSettings, type CompleteFlags, type Settings, withDefaults } from '../settings/setting.js'
import { DATA_SETTINGS } from '../settings/train-settings.js'
import { integer, path } from '../settings/values.js'
import { type OpenPictures, openData } from '../run/open-data.js'
import { isPictureData } from '../run/run-config.js'
import { checkWritable } from '../run/run-folder.js'
import { EXIT, UsageError } from '../terminal/errors.js'
import { formatBytes, formatCounted } from '../terminal/format.js'
import { onInterrupt } from '../terminal/interrupt.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'

const ENCODE_SETTINGS = {
  vae: {
    flag: '--vae <folder>',
    help: 'the autoencoder: a diffusers folder of one, or of a pipeline that has one',
    parse: path,
    isRequired: true,
  },
  out: { flag: '--out <folder>', help: 'folder for the latents', parse: path, isRequired: true },
  size: {
    flag: '--size <pixels>',
    help: 'side of the square pictures (default {default})',
    parse: integer(1),
    default: 256,
  },
  batch: {
    flag: '--batch <n>',
    help: 'pictures computed at a time (default {default})',
    parse: integer(1),
    default: 8,
  },
  shard: { flag: '--shard <n>', help: 'pictures per file (default {default})', parse: integer(1), default: 4096 },
  flips: { flag: '--no-flips', help: 'do not store the mirror images', default: true },
  dtype: {
    flag: '--dtype <name>',
    help: 'type of the stored numbers (default {default})',
    choices: DTYPES,
    default: 'f32',
  },
  conditions: {
    flag: '--no-conditions',
    help: 'do not copy what conditions.safetensors in the folder says of the pictures beside their latents',
    default: true,
  },
  skipBad: { flag: '--skip-bad', help: 'name unreadable pictures and leave them out, instead of stopping' },
  // Without a default: what was begun before there was a choice goes on without one.
  background: {
    flag: DATA_SETTINGS.background.flag,
    help: DATA_SETTINGS.background.help,
    parse: DATA_SETTINGS.background.parse,
  },
  maxPixels: DATA_SETTINGS.maxPixels,
  classNames: DATA_SETTINGS.classNames,
  ...ENGINE_SETTINGS,
  quiet: OTHER_SETTINGS.quiet,
  json: OTHER_SETTINGS.json,
} as const satisfies Settings

type EncodeFlags = CompleteFlags<typeof ENCODE_SETTINGS>

const EXAMPLES = `
Examples:
  dit encode imagenet/train --vae sd-vae-ft-ema --out latents/imagenet-256
  dit encode photos --vae DiT-XL-2-512/vae --out latents/photos --size 512 --batch 4
  dit train --latents latents/imagenet-256 --model DiT-B/2

Pictures are cropped to squares, as in training. Transparent ones are put on white, or on --background. For each picture and its mirror image, the mean and the log
variance of the latents are stored, so that training can draw new latents each time. If encoding was stopped,
repeat the command: it checks the files that are there and continues.

A file conditions.safetensors in the folder, with captions or other conditions of the pictures, is copied beside the latents, where
dit train --conditions finds it. To add or replace it later, repeat the command.

--dtype f16 and bf16 halve the files. f16 changes a value by at most 1/2048 of itself, bf16 by at most 1/256, but
bf16 has the range of f32. Training reads both as float32.`

/** `dit encode` */
export function encodeCommand(call: Call): Command {
  const command = new Command('encode')
    .summary('encode pictures as latents to train on')
    .description(
      'Encodes a folder of pictures, one sub-folder per class, or tar shards of pictures, with an autoencoder. Train on the latents with dit train --latents.',
    )
    .argument('<folder>', 'folder with one sub-folder of pictures per class, tar shards, `shapes` or `sprites`', path)
  return addSettings(command, ENCODE_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async (data: string) => {
      const flags = withDefaults(ENCODE_SETTINGS, givenOptions(command))
      call.exitCode = await encodeFromFlags(data, flags, createOutput(flags, call))
    })
}

async function encodeFromFlags(data: string, flags: EncodeFlags, output: Output): Promise<number> {
  checkFolderOptions(data, flags)
  const found = await autoencoderOf(flags.vae)
  const { config } = found
  const factor = spatialFactor(config)
  if (flags.size % factor !== 0) {
    throw new UsageError(
      `--size ${flags.size} must be a multiple of ${factor}: one pixel of the latents stands for ${factor} x ${factor} pixels`,
    )
  }
  if (config.inChannels !== 3)
    throw new UsageError(
      `--vae ${flags.vae}: the autoencoder must encode 3 channels, but it encodes ${config.inChannels}`,
    )
  await checkWritable('--out', flags.out)
  const before = await readManifest(flags.out)
  if (before === null && (await readdir(flags.out).catch(() => [])).length > 0) {
    throw new UsageError(`--out ${flags.out} holds other files; give an empty or new folder for the latents`)
  }
  const { size, skipBad = false, maxPixels, classNames } = flags
  const request = { data, size, skipBad, maxPixels, background: backgroundOf(flags, before), classNames }
  const opened = await openData(request, output).catch(withoutFlag)
  const interruption = onInterrupt(() =>
    output.notice('stopping after this batch (press Ctrl-C again to quit at once)'),
  )
  let carried: CarriedConditions | null = null
  try {
    const { files } = opened.dataset as { readonly files?: readonly string[] }
    if (flags.conditions && opened.config.kind === 'folder') carried = await carriedConditions(data, files!)
    const engine = await openEngine(chosenBackend(flags), flags)
    const { backend } = engine
    try {
      showEngine(engine, output)
      const vae = await loadAutoencoder(found, null, backend)
      const begun = await manifestOf(flags, opened, vae)
      const manifest = before === null ? begun : continued(flags.out, before, begun)
      const { length, classes } = manifest
      output.line(
        `encode ${formatCounted(length, 'picture', 'pictures')} of ${flags.size}x${flags.size}, ${formatCounted(classes.length, 'class', 'classes')}, into ${flags.out}`,
      )
      await verify(flags.out, manifest, output)
      const progress = showProgress(output, { total: length, unit: 'pictures' })
      try {
        const done = await encodeFolder(manifest, {
          folder: flags.out,
          dataset: opened.dataset,
          vae,
          backend,
          batchSize: flags.batch,
          signal: interruption.signal,
          onProgress: (count) => {
            progress.update(count, '')
            output.event({ type: 'encoded', done: count, total: length })
          },
        })
        progress.stop()
        if (carried !== null) {
          await carried.writeInto(flags.out)
          const names = carried.specs.map(({ name }) => name)
          output.line(
            `told   ${conditionsText(carried.specs)}; tell them with: dit train --conditions ${names.join(',')}`,
          )
        }
        const bytes = done.shards.reduce((total, shard) => total + shard.bytes, 0)
        output.line(
          `done   ${formatCounted(done.shards.length, 'file', 'files')}, ${formatBytes(bytes)}; train on them with: dit train --latents ${flags.out}`,
        )
        output.event({ type: 'end', folder: flags.out, shards: done.shards.length, length, bytes })
        return EXIT.ok
      } finally {
        progress.stop()
      }
    } finally {
      await backend.dispose()
    }
  } catch (error) {
    const code = interruption.exitCode()
    if (code === null) throw error
    const left = await readManifest(flags.out)
    if (left !== null) await removePartial(flags.out, left)
    output.notice(`stopped; repeat the command to continue after the last complete file`)
    return code
  } finally {
    interruption.dispose()
    await carried?.close()
    await opened.close()
  }
}

/** The folder is this command's argument, which has no flag. */
function withoutFlag(error: unknown): never {
  if (!(error instanceof UsageError)) throw error
  throw new UsageError(error.message.replace(/^--data:? /, ''), { cause: error })
}

/** What transparent pictures are put on; undefined where latents were begun before there was a choice, which go on as they began. */
function backgroundOf({ out, background }: EncodeFlags, before: LatentsManifest | null): string | null | undefined {
  if (before !== null && before.background === undefined && !isGeneratedName(before.files)) {
    if (typeof background !== 'string') return undefined
    throw new UsageError(
      `--out ${out} holds latents of pictures whose alpha was dropped; leave --background out, or give another folder`,
    )
  }
  return background === undefined ? DATA_SETTINGS.background.default : background
}

async function manifestOf(
  flags: EncodeFlags,
  { dataset, config }: OpenPictures,
  vae: OpenAutoencoder,
): Promise<LatentsManifest> {
  const side = flags.size / spatialFactor(vae.config)
  return {
    format: LATENTS_FORMAT,
    vae: vae.config,
    vaeWeights: await fingerprint(vae.params),
    size: flags.size,
    shape: [vae.config.latentChannels, side, side],
    classes: dataset.classes,
    length: dataset.length,
    flips: flags.flips,
    dtype: STORED[flags.dtype],
    ...(isPictureData(config) && config.background !== undefined ? { background: config.background } : {}),
    files: isPictureData(config) ? config.files : config.kind === 'dataset' ? config.pictures : config.kind,
    shardSize: flags.shard,
    shards: [],
  }
}

/** What was begun, if the same would be made now. */
function continued(folder: string, before: LatentsManifest, now: LatentsManifest): LatentsManifest {
  const fields = Object.keys(now) as (keyof LatentsManifest)[]
  const different = fields.filter(
    (name) => name !== 'shards' && JSON.stringify(before[name]) !== JSON.stringify(now[name]),
  )
  if (different.length > 0) {
    throw new UsageError(
      `--out ${folder} holds latents of another encoding (${LATENTS_FILE} differs in ${different.join(', ')}); give another folder`,
    )
  }
  return before
}

async function verify(folder: string, manifest: LatentsManifest, output: Output): Promise<void> {
  const { shards } = manifest
  if (shards.length === 0) return
  const progress = showProgress(output, { total: shards.length, unit: 'files', isPlainShown: false })
  try {
    await verifyShards(folder, manifest, (done) => progress.update(done, 'checking'))
  } finally {
    progress.stop()
  }
  output.line(
    `found  ${shards.length} complete file${shards.length === 1 ? '' : 's'}${isComplete(manifest) ? '; nothing is left to do' : ''}`,
  )
}

async function fingerprint(params: Params): Promise<string> {
  const hash = createHash('sha256')
  for (const [name, param] of Object.entries(params)) {
    const { buffer, byteOffset, byteLength } = await toFloat32Array(param)
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  return hash.digest('hex')
}
