import { type CompleteProcess, completeProcess } from '@dit/diffusion'
import type { DiTConfig } from '@dit/model'
import { PAGE_PROCESS, pageModel, type PageSettings } from './settings.js'

/** What a file of weights says of itself: plain data, which goes from the Worker to the page. */
export interface WeightsAbout {
  /** Of the file. */
  readonly name: string
  /** Null for a network that no file describes. */
  readonly network: DiTConfig | null
  readonly process: CompleteProcess | null
  readonly classNames: readonly string[]
  readonly numParameters: number
}

/**
 * Why the page cannot go on from weights with these settings, or null: the first field that differs, what it is and what it must be.
 *
 * @param about what the file says
 * @param settings of the training that would begin with them
 */
export function startProblem(
  { network, process, classNames }: Pick<WeightsAbout, 'network' | 'process' | 'classNames'>,
  settings: Pick<PageSettings, 'size' | 'classes'>,
): string | null {
  const { inputSize, ...rest } = network ?? ({} as Partial<DiTConfig>)
  const side = Array.isArray(inputSize) && inputSize[0] === inputSize[1] ? inputSize[0] : inputSize
  const wrong =
    fieldThatDiffers('process', process ?? {}, completeProcess(PAGE_PROCESS)) ??
    fieldThatDiffers('network', { inputSize: side, ...rest }, pageModel(settings))
  if (wrong !== null) return wrong
  const differs = settings.classes.findIndex((name, label) => name !== classNames[label])
  if (differs < 0) return null
  return `class ${differs} is ${shown(classNames[differs])} in the file and must be ${shown(settings.classes[differs])}`
}

function fieldThatDiffers(part: 'network' | 'process', found: object, needed: object): string | null {
  const [is, must] = [found, needed] as readonly Readonly<Record<string, unknown>>[]
  const fields = [...new Set([...Object.keys(must), ...Object.keys(is)])]
  const field = fields.find((name) => shown(is[name]) !== shown(must[name]))
  if (field === undefined) return null
  return `${field} of the ${part} is ${shown(is[field])} in the file and must be ${shown(must[field])}`
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'absent')
}
