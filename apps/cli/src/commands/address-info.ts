import { type OpenModel, requireDiT } from '@dit/pipeline'
import { openModel } from '@dit/pipeline/node'
import { sizeOf } from '@dit/tensor'
import { fileLines, storedBytes, type ToldFile } from './file-report.js'
import { modelLines, type ModelReport, reportModel } from './model-report.js'
import { hubAccess } from '../settings/hub-access.js'
import { inFlags } from '../settings/option-flag.js'

/** What `dit info` tells of a model behind an address. */
export interface AddressReport {
  readonly file: ToldFile
  readonly assumptions: readonly string[]
  readonly report: ModelReport
  readonly lines: readonly string[]
}

/** Whether `dit info` was pointed at a model behind an address. */
export function isAddress(word: string): boolean {
  return /^(?:hf:|https?:\/\/)/i.test(word)
}

/**
 * Describes a model behind an address. Of its weights only names, types and shapes are fetched, and what its layout needs to be understood:
 * the server must answer byte ranges. Whether the values are finite is not known.
 *
 * @throws OpenError, WebFileError and the errors of readers as `openModel`
 */
export async function reportAddress(address: string, batch: number): Promise<AddressReport> {
  const model = await openModel(address, { fetch: { ...hubAccess(address), ranges: true } })
  try {
    const { assumptions, notices } = model
    const { description } = requireDiT(model, '`dit info`')
    const file = toldFile(model)
    const report = reportModel(description.network, batch)
    const assumed = assumptions.length === 0 ? [] : ['', inFlags(`assumed: ${assumptions.join('; ')}`)]
    const lines = [...fileLines(file), ...notices, '', ...modelLines(report), ...assumed]
    return { file, assumptions, report, lines }
  } finally {
    await model.close()
  }
}

function toldFile({ name, description, isProcessKnown, layout, which, weights }: OpenModel): ToldFile {
  const { process, program, latents, pixelRange, classNames } = description
  const tensors = [...weights.entries].map(([tensor, { dtype, shape }]) => ({ name: tensor, dtype, shape }))
  return {
    path: name,
    tensors,
    values: tensors.reduce((total, { shape }) => total + sizeOf(shape), 0),
    bytes: storedBytes(tensors),
    metadata: {},
    layout,
    which,
    program,
    process: isProcessKnown ? process : null,
    classNames,
    pixelRange,
    latents,
    unread: [],
    nonFinite: null,
  }
}
