import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Evaluation, EvaluationWithRows, MeasureResult } from '@dit/evaluate'
import { readRows } from '@dit/evaluate/node'
import { isRun } from '@dit/pipeline/node'
import { UsageError } from '../terminal/errors.js'
import { EVALUATION_FILES } from './eval-place.js'

/**
 * A finished evaluation by its folder, its `evaluation.json`, or its run, of which it is the newest.
 *
 * @throws UsageError where there is none
 */
export async function findEvaluation(path: string): Promise<EvaluationWithRows> {
  const file = await fileOf(path)
  let evaluation: Evaluation
  try {
    evaluation = JSON.parse(await readFile(file, 'utf8')) as Evaluation
  } catch (cause) {
    throw new UsageError(`--compare ${path}: ${file} cannot be read (${(cause as Error).message})`, { cause })
  }
  if ((evaluation as Evaluation | null)?.format !== 'dit-evaluation')
    throw new UsageError(`--compare ${path}: ${file} is no evaluation of dit eval`)
  const problem = problemOf(evaluation)
  if (problem !== null) throw new UsageError(`--compare ${path}: ${file} is damaged: ${problem}`)
  const rowsFile = join(dirname(file), EVALUATION_FILES.rows)
  const rows = await readRows(rowsFile).catch((cause: unknown) => {
    throw new UsageError(
      `--compare ${path}: ${rowsFile}, the features behind the evaluation, cannot be read; repeat the evaluation`,
      { cause },
    )
  })
  return { evaluation, rows }
}

/** What is wrong with a file that says to be an evaluation, as far as a comparison reads it; null where nothing is. */
function problemOf({ version, generated, real, extractor, measures }: Partial<Evaluation>): string | null {
  if (version !== 1) return `its version is ${String(version)}, and this dit reads 1`
  for (const [name, set] of Object.entries({ generated, real })) {
    const isSet =
      typeof set?.name === 'string' && Number.isSafeInteger(set.count) && typeof set.fingerprint === 'string'
    if (!isSet) return `"${name}" must have a name, a count and a fingerprint`
  }
  if (![extractor?.name, extractor?.fingerprint, extractor?.layer].every((text) => typeof text === 'string'))
    return '"extractor" must have a name, a fingerprint and a layer'
  const wrong = Array.isArray(measures)
    ? measures.find((one) => !Number.isFinite((one as MeasureResult | null)?.value))
    : null
  if (wrong === undefined) return null
  return wrong === null ? '"measures" must be a list' : `the value of ${String(wrong.measure)} must be a number`
}

async function fileOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw new UsageError(`--compare ${path}: there is no such file or folder`)
  if (found.isFile()) return path
  const own = join(path, EVALUATION_FILES.json)
  if (await isThere(own)) return own
  if (await isRun(path)) {
    const newest = await newestIn(path)
    if (newest !== null) return newest
    throw new UsageError(`--compare ${path}: the run has no finished evaluation; make one with \`dit eval ${path}\``)
  }
  throw new UsageError(`--compare ${path}: there is no ${EVALUATION_FILES.json} in it`)
}

async function newestIn(run: string): Promise<string | null> {
  let newest: { readonly path: string; readonly at: number } | null = null
  for (const name of await readdir(run)) {
    if (await isThere(join(run, name, EVALUATION_FILES.job))) continue
    const path = join(run, name, EVALUATION_FILES.json)
    const found = name.startsWith('evaluation') ? await stat(path).catch(() => null) : null
    if (found !== null && (newest === null || found.mtimeMs > newest.at)) newest = { path, at: found.mtimeMs }
  }
  return newest?.path ?? null
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
