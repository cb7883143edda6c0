import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConditionSpec } from '@dit/model'
import type { Batch, Dataset, ReadOptions } from '@dit/data'
import {
  CONDITIONS_FILE,
  ConditionsError,
  type ConditionsFile,
  openConditions,
  type StoredCondition,
} from '@dit/train-ddp/node'
import { CONDITION_SETTINGS } from '../settings/condition-settings.js'
import { EVALUATION_SETTINGS } from '../settings/evaluation-settings.js'
import { flagOf } from '../settings/flag-of.js'
import { firstGiven } from '../settings/setting.js'
import { didYouMean } from '../settings/suggest.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { byName } from '../settings/values.js'
import { UsageError } from '../terminal/errors.js'
import { formatCount, formatCounted } from '../terminal/format.js'
import type { Output } from '../terminal/output.js'
import { printableName } from '../terminal/printable.js'
import type { DataConditions } from './run-config.js'

/** The condition that is the class of a picture, which no file need hold. */
const CLASS = 'labels'

/** What `--conditions` calls a network that is told nothing. */
const NOTHING = 'none'

/** Rows that are compared at a resume where nobody says how many. */
const CHECKED = 1000

/** What a run tells its network, as far as its flags and its file of conditions decide it. */
export interface AskedConditions {
  /** As `--conditions` said. */
  readonly asked: string
  /** For data of so many classes, which the file does not know. */
  specs(numClasses: number): readonly ConditionSpec[]
}

/** Conditions that data are to be read with. */
export interface WantedConditions {
  readonly asked: string
  /** Of the network, the class among them. */
  readonly specs: readonly ConditionSpec[]
}

/**
 * The conditions that `--conditions` asks for, by what the file in the folder of `--data` or `--latents` holds; null without the flag.
 *
 * @throws UsageError where the file is missing or cannot serve, or flags do not go together
 */
export async function askedConditions(flags: TrainFlags): Promise<AskedConditions | null> {
  const { conditions: asked } = flags
  if (asked === undefined) {
    if (flags.conditionDropout === undefined) return null
    throw new UsageError('--condition-dropout needs --conditions, which names what the network is told')
  }
  refuseBeside(flags)
  const names = asked.split(',')
  if (new Set(names).size < names.length) throw new UsageError(`--conditions ${asked}: a name stands there twice`)
  if (asked === NOTHING) return { asked, specs: () => withDropouts([], flags) }
  if (asked === CLASS) return { asked, specs: (classes) => withDropouts([classSpec(classes)], flags) }
  const file = await openBeside(folderOf(flags))
  await file.close()
  if (file.conditions.some(({ name }) => name === CLASS)) {
    throw new UsageError(`${file.path}: ${CLASS} are the classes of the pictures; give the tensor another name`)
  }
  const known = file.conditions.map(({ name }) => name)
  const chosen = asked === 'all' ? known : names
  const unknown = chosen.find((name) => name !== CLASS && !known.includes(name))
  if (unknown !== undefined) {
    throw new UsageError(
      `--conditions ${asked}: ${file.path} has no ${unknown}${didYouMean(unknown, known)} (it has ${known.join(', ')})`,
    )
  }
  const tokens = file.conditions.find(({ name, kind }) => kind === 'tokens' && chosen.includes(name))
  if (tokens !== undefined && flags.block !== 'cross-attention') {
    throw new UsageError(
      `--conditions ${asked}: the tokens of ${tokens.name} are read by cross-attention; give --block cross-attention as well`,
    )
  }
  return {
    asked,
    specs: (classes) =>
      withDropouts(
        chosen.map((name) => file.conditions.find((each) => each.name === name) ?? classSpec(classes)),
        flags,
      ),
  }
}

function classSpec(classes: number) {
  return { name: CLASS, kind: 'label', classes } as const
}

/** @throws UsageError for flags that mean a class, or do not know conditions yet */
function refuseBeside(flags: TrainFlags): void {
  if (flags.classDropout !== undefined) {
    throw new UsageError(
      '--class-dropout is for the class, but --conditions names what is told in its place; give --condition-dropout',
    )
  }
  if (flags.from !== undefined) {
    throw new UsageError(
      '--from begins with the weights of a network of classes, which --conditions does not have; leave one of them out',
    )
  }
  const evaluation = firstGiven(EVALUATION_SETTINGS, flags)
  if (evaluation === undefined) return
  throw new UsageError(
    `${flagOf(evaluation)} measures samples of classes, but --conditions names what is told in their place; measure the error on held-out pictures with --val-share`,
  )
}

/** The folder that has the file. */
function folderOf({ data, latents }: TrainFlags): string {
  if (latents !== undefined) return latents
  if (data !== undefined) return data
  throw new UsageError(`--conditions needs --data <folder> or --latents <folder>, in which ${CONDITIONS_FILE} lies`)
}

async function openBeside(folder: string): Promise<ConditionsFile> {
  const path = join(folder, CONDITIONS_FILE)
  if ((await stat(path).catch(() => null))?.isFile() !== true) {
    throw new UsageError(
      `--conditions: there is no file ${path}; docs/conditions.md says what is in it, and how to write it`,
    )
  }
  return openConditions(path).catch(asUsage)
}

/** @throws UsageError in place of what is wrong with the file */
function asUsage(error: unknown): never {
  if (error instanceof ConditionsError) throw new UsageError(error.message, { cause: error })
  throw error
}

function withDropouts(
  found: readonly StoredCondition[],
  { conditionDropout = CONDITION_SETTINGS.conditionDropout.default }: TrainFlags,
): readonly ConditionSpec[] {
  const named = byName(conditionDropout)
  const unknown = [...(named?.keys() ?? [])].find((name) => !found.some((each) => each.name === name))
  if (unknown !== undefined) {
    throw new UsageError(
      `--condition-dropout ${conditionDropout}: there is no condition ${unknown} (there are: ${found.map(({ name }) => name).join(', ')})`,
    )
  }
  return found.map((each) => {
    const dropout = named === null ? Number(conditionDropout) : named.get(each.name)
    return { ...each, dropout: dropout ?? CONDITION_SETTINGS.conditionDropout.default }
  })
}

/**
 * Checks `--condition-dropout` of a resumed run, which keeps its own.
 *
 * @throws UsageError
 */
export function checkSameDropout(specs: readonly ConditionSpec[] | undefined, flags: TrainFlags): void {
  if (flags.conditionDropout === undefined) return
  const given = specs === undefined ? [] : withDropouts(specs, flags)
  if (specs !== undefined && given.every(({ dropout }, i) => dropout === specs[i].dropout)) return
  const own = specs?.map(({ name, dropout }) => `${name}=${dropout}`).join(',') ?? 'none'
  throw new UsageError(
    `a resumed run keeps its settings, but these differ: --condition-dropout ${flags.conditionDropout} (the run has ${own}); leave them out, or start a new run with a different --out`,
  )
}

/** A data set with its conditions, and what `config.json` keeps of them. */
export interface ToldDataset {
  readonly dataset: Dataset
  readonly conditions: DataConditions
  close(): Promise<void>
}

/**
 * A data set whose pictures have the conditions of the file beside them.
 *
 * @param files   paths of the pictures in the folder; null for latents, which have the rows of the file in order
 * @param checked rows of which a digest is made
 * @throws UsageError where the file is missing, does not fit the network, or has no row for a picture
 */
export async function toldDataset(
  dataset: Dataset,
  { asked, specs }: WantedConditions,
  {
    folder,
    files,
    checked = CHECKED,
    output,
  }: {
    readonly folder: string
    readonly files: readonly string[] | null
    readonly checked?: number | 'all'
    readonly output: Pick<Output, 'notice'>
  },
): Promise<ToldDataset> {
  const stored = specs.filter(({ name }) => name !== CLASS)
  if (stored.length === 0) {
    return { dataset, conditions: { asked, sha256: createHash('sha256').digest('hex') }, close: async () => {} }
  }
  const file = await openBeside(folder)
  try {
    file.requireFit(stored)
    const rows = rowsOf(file, files, dataset.length)
    const names = stored.map(({ name }) => name)
    const unused = file.length - rows.length
    if (unused > 0) {
      output.notice(
        `${formatCounted(unused, 'row', 'rows')} of ${file.path} ${unused === 1 ? 'is' : 'are'} for no picture here`,
      )
    }
    const read = async (indices: ArrayLike<number>, options?: ReadOptions): Promise<Batch> => {
      const [batch, arrays] = await Promise.all([
        dataset.read(indices, options),
        file.read(
          names,
          Array.from(indices, (index) => rows[index]),
        ),
      ])
      return { ...batch, arrays }
    }
    const sha256 = await digestOf(file, names, rows, checked)
    return { dataset: { ...dataset, read }, conditions: { asked, sha256 }, close: () => file.close() }
  } catch (error) {
    await file.close()
    return asUsage(error)
  }
}

/** The row of each picture. */
function rowsOf(file: ConditionsFile, files: readonly string[] | null, length: number): Uint32Array {
  if (files !== null) return file.rowsOf(files.map((path) => path.replaceAll('\\', '/')))
  if (file.length === length) return Uint32Array.from({ length }, (_, i) => i)
  throw new UsageError(
    `${file.path}: it must have a row for each of ${formatCount(length)} latents, in their order (got ${formatCount(file.length)})`,
  )
}

/** SHA-256 over all labels and lengths, and the numbers of some pictures, spread over all. */
async function digestOf(
  file: ConditionsFile,
  names: readonly string[],
  rows: Uint32Array,
  checked: number | 'all',
): Promise<string> {
  const hash = createHash('sha256')
  const add = (arrays: Awaited<ReturnType<ConditionsFile['read']>>) => {
    for (const [name, { data, shape }] of Object.entries(arrays)) {
      hash.update(`${name} ${shape.join(' ')}\n`)
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
  }
  const labels = file.conditions.filter(({ name, kind }) => kind === 'label' && names.includes(name))
  add(
    await file.read(
      labels.map(({ name }) => name),
      rows,
    ),
  )
  const others = names.filter((name) => !labels.some((label) => label.name === name))
  const count = checked === 'all' ? rows.length : Math.min(checked, rows.length)
  for (let i = 0; i < count && others.length > 0; i++) {
    add(await file.read(others, [rows[Math.floor((i * rows.length) / count)]]))
  }
  return hash.digest('hex')
}

/** `caption (up to 8 tokens of 16 numbers), style (10 classes)` */
export function conditionsText(specs: readonly StoredCondition[]): string {
  const each = specs.map((spec) => {
    const size =
      spec.kind === 'label'
        ? formatCounted(spec.classes, 'class', 'classes')
        : spec.kind === 'vector'
          ? `a vector of ${formatCount(spec.size)}`
          : `up to ${formatCounted(spec.most, 'token', 'tokens')} of ${formatCount(spec.size)} numbers`
    return `${printableName(spec.name)} (${size})`
  })
  return each.length === 0 ? 'nothing' : each.join(', ')
}

/** The file of conditions beside pictures that are encoded; null where there is none. */
export interface CarriedConditions {
  readonly specs: ConditionsFile['conditions']
  /** Writes the rows of the pictures, in their order, into a folder of latents. */
  writeInto(folder: string): Promise<void>
  close(): Promise<void>
}

/**
 * Finds the file of conditions of a folder of pictures.
 *
 * @param files paths of the pictures in the folder
 * @throws UsageError where it cannot serve, or has no row for a picture
 */
export async function carriedConditions(folder: string, files: readonly string[]): Promise<CarriedConditions | null> {
  if ((await stat(join(folder, CONDITIONS_FILE)).catch(() => null))?.isFile() !== true) return null
  const file = await openBeside(folder)
  try {
    const rows = rowsOf(file, files, files.length)
    return {
      specs: file.conditions,
      writeInto: (target) => file.copyTo(join(target, CONDITIONS_FILE), rows),
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    return asUsage(error)
  }
}
