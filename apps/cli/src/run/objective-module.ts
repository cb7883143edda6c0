import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BatchSource, defineObjective, type Objective } from '@dit/train-ddp'
import { nearest } from '../settings/suggest.js'
import { UsageError } from '../terminal/errors.js'
import type { ModuleSpec } from './objective-config.js'

/** What a module's functions are told of the run. */
export interface ModuleContext {
  /** Of the pictures or latents; empty where the module brings data of its own. */
  readonly classes: readonly string[]
  /** Shape of one picture or latent, `[C, H, W]`; null where the module brings data of its own. */
  readonly shape: readonly [channels: number, height: number, width: number] | null
  readonly batchSize: number
  readonly seed: number
  /** What `--objective-options` says; empty where it is not given. */
  readonly options: Readonly<Record<string, unknown>>
}

type Made<T> = T | ((context: ModuleContext) => T | Promise<T>)

/** What `--objective` names: a JavaScript module that exports `objective`, and `data` if it does not learn from pictures. */
export interface ObjectiveModule {
  /** Absolute. */
  readonly path: string
  readonly sha256: string
  readonly objective: Made<Objective>
  readonly data: Made<BatchSource> | null
}

/**
 * Imports the module of an objective. Every worker does so by itself: functions do not cross threads.
 *
 * @throws UsageError where it cannot be imported, or exports no objective
 */
export async function importObjective(path: string): Promise<ObjectiveModule> {
  const absolute = resolve(path)
  const bytes = await readFile(absolute).catch((cause: unknown) => {
    throw new UsageError(`--objective ${path}: this file does not exist or cannot be read`, { cause })
  })
  let module: { readonly objective?: Made<Objective>; readonly data?: Made<BatchSource> }
  try {
    module = (await import(pathToFileURL(absolute).href)) as typeof module
  } catch (cause) {
    throw new UsageError(
      `--objective ${path}: cannot import the module: ${messageOf(cause)}${placeIn(absolute, cause)}${howToInstall(cause)}`,
      {
        cause,
      },
    )
  }
  const { objective, data = null } = module
  if (objective === undefined || objective === null) {
    throw new UsageError(
      `--objective ${path}: the module must export \`objective\`, an Objective of @dit/train-ddp or a function that returns one (it exports ${Object.keys(module).join(', ') || 'nothing'})`,
    )
  }
  const stray = Object.keys(module).find((name) => name !== 'objective' && name !== 'data' && isTypo(name))
  if (stray !== undefined) {
    throw new UsageError(`--objective ${path}: the module exports ${stray}; did you mean ${nearest(stray, EXPORTS)!}?`)
  }
  return { path: absolute, sha256: createHash('sha256').update(bytes).digest('hex'), objective, data }
}

const EXPORTS = ['objective', 'data']

function isTypo(name: string): boolean {
  return nearest(name, EXPORTS) !== null
}

/** An objective that can be trained, and what describes it. */
export interface OpenObjective {
  readonly objective: Objective
  readonly config: ModuleSpec
  /** Batches that the module brings in place of pictures. */
  readonly batches: BatchSource | null
}

/**
 * Makes what a module describes.
 *
 * @throws UsageError where its functions throw, or give something else, or options are given that none of them can receive
 */
export async function openModule(module: ObjectiveModule, context: ModuleContext): Promise<OpenObjective> {
  const { options } = context
  const hasOptions = Object.keys(options).length > 0
  if (hasOptions && typeof module.objective !== 'function' && typeof module.data !== 'function') {
    throw new UsageError(
      `--objective-options: \`objective\` of ${module.path} is not a function, so nothing receives the options; leave them out`,
    )
  }
  const made = async <T>(what: string, value: Made<T>): Promise<T> => {
    try {
      return typeof value === 'function' ? await (value as (context: ModuleContext) => T)(context) : value
    } catch (cause) {
      throw new UsageError(
        `--objective ${module.path}: ${what} failed: ${messageOf(cause)}${placeIn(module.path, cause)}`,
        {
          cause,
        },
      )
    }
  }
  const objective = await made('objective', module.objective)
  try {
    defineObjective(objective)
  } catch (cause) {
    throw new UsageError(`--objective ${module.path}: ${messageOf(cause)}`, { cause })
  }
  const batches = module.data === null ? null : await made('data', module.data)
  if (batches !== null && typeof batches.rows !== 'function') {
    throw new UsageError(`--objective ${module.path}: data must have a function rows(step, start, end)`)
  }
  const config = {
    kind: 'module',
    module: module.path,
    sha256: module.sha256,
    ...(hasOptions ? { options } : {}),
    spec: objective.spec,
  } as const
  return { objective, config, batches }
}

/**
 * Where in the folder of a module an error came from, as ` (mine.mjs:21:45)`; nothing where it came from elsewhere.
 *
 * @param path of the module
 */
export function placeIn(path: string, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const folder = `${dirname(path)}/`
  for (const line of stack.split('\n')) {
    const [, file, at] = /(?:file:\/\/)?(\/[^():]+)((?::\d+){1,2})/.exec(line) ?? []
    if (file?.startsWith(folder) && !file.includes('/node_modules/')) return ` (${file.slice(folder.length)}${at})`
  }
  return ''
}

/** What to do about a package that a module imports and that is not installed; empty for other errors. */
export function howToInstall(error: unknown): string {
  const [, name] = /^Cannot find package '([^']+)'/.exec(messageOf(error)) ?? []
  return name === undefined ? '' : `; install it in the folder of the module: npm install ${name}`
}

/** Modules may throw anything. */
function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
