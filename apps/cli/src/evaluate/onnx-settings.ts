import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type OnnxOptions, RESIZE_METHODS } from '@dit/features'
import { didYouMean } from '../settings/suggest.js'
import { UsageError } from '../terminal/errors.js'

/** What the file of settings may say. */
export type OnnxSettings = Omit<OnnxOptions, 'runtime'>

interface Entry {
  readonly isRight: (value: unknown) => boolean
  readonly what: string
  readonly isNeeded?: true
}

const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 1
const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isListOf = (isItem: (item: unknown) => boolean, value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every(isItem)
const isNumbers = (value: unknown) =>
  Number.isFinite(value) || (isListOf(Number.isFinite, value) && (value as unknown[]).length === 3)
const isSteps = (value: unknown) => isNumbers(value) && [value as number].flat().every((step) => step > 0)

/** Every key of the file, with what it must hold. */
const ENTRIES: Readonly<Record<keyof OnnxSettings, Entry>> = {
  size: {
    isRight: (value) => isCount(value) || (isListOf(isCount, value) && (value as unknown[]).length === 2),
    what: 'a side in pixels, or a height and a width',
    isNeeded: true,
  },
  mean: { isRight: isNumbers, what: 'a number, or three of them, for pixels of 0 to 255', isNeeded: true },
  std: { isRight: isSteps, what: 'a number above 0, or three of them, for pixels of 0 to 255', isNeeded: true },
  resize: {
    isRight: (value) => (RESIZE_METHODS as readonly unknown[]).includes(value),
    what: `one of ${RESIZE_METHODS.join(', ')}`,
  },
  layout: { isRight: (value) => value === 'NCHW' || value === 'NHWC', what: 'NCHW or NHWC' },
  output: { isRight: (value) => isText(value) || isListOf(isText, value), what: 'the name of an output, or a list' },
  logits: { isRight: isText, what: 'the name of an output' },
  name: { isRight: isText, what: 'a text' },
  batchSize: { isRight: isCount, what: 'a whole number, 1 or more' },
}

/** The usual numbers of ImageNet, times 255, as an example. */
const EXAMPLE = '{ "size": 224, "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375] }'

/**
 * How pictures are prepared for an ONNX file, from the JSON file beside it: `dino.onnx.json` for `dino.onnx`.
 *
 * @throws UsageError without that file, or for what is wrong in it
 */
export async function onnxSettings(path: string): Promise<OnnxSettings> {
  const file = `${path}.json`
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    if ((cause as { readonly code?: string }).code !== 'ENOENT') throw cause
    throw new UsageError(
      `--extractor ${path}: an ONNX file does not say how pictures must be prepared; write it to ${file}, such as ${EXAMPLE}`,
      { cause },
    )
  })
  const settings = parsed(file, text)
  for (const [key, value] of Object.entries(settings)) {
    if (!Object.hasOwn(ENTRIES, key))
      throw new UsageError(`${file}: there is no setting ${key}${didYouMean(key, Object.keys(ENTRIES))}`)
    const { isRight, what } = ENTRIES[key as keyof OnnxSettings]
    if (!isRight(value)) throw new UsageError(`${file}: ${key} must be ${what} (got ${JSON.stringify(value)})`)
  }
  for (const [key, { isNeeded, what }] of Object.entries(ENTRIES)) {
    if (isNeeded && !Object.hasOwn(settings, key)) throw new UsageError(`${file}: give ${key}, ${what}`)
  }
  return { name: basename(path).replace(/\.onnx$/i, ''), ...(settings as unknown as OnnxSettings) }
}

function parsed(file: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`${file}: this is no JSON: ${(cause as Error).message}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${file}: it must hold a JSON object, such as ${EXAMPLE}`)
  return value as Record<string, unknown>
}
