import type { TensorFile } from '@dit/checkpoint'
import { unpublishedFields } from '../check-blocks.js'
import { type About, aboutFromMetadata, configFromMetadata } from './description.js'
import { LayoutError } from './error.js'
import { inferBlocks, requireStart } from './infer-blocks.js'
import type { ReadLayoutOptions, Undescribed } from './model-weights.js'
import { describeNeeds, isLeftOut, type RecognisedProgram, recogniseProgram, shapesOf } from './program.js'
import { requireParameters } from './require-fit.js'
import { TELLING } from './read-weights.js'
import { processOf } from './saved-process.js'

/** Of a file whose configuration is known to have blocks of its own: their names are those of other programs, but it need not be theirs. */
const UNRECOGNISED: RecognisedProgram = { program: null, process: null, needs: [] }

/**
 * Weights under the official names in a file that does not say all of its model: the program that wrote it is recognised, and what nobody says
 * is inferred.
 *
 * @throws LayoutError or RangeError where they are not those of a DiT, or need what is not built
 */
export function readUndescribed(
  file: TensorFile,
  { config, hints = {}, saved = new Map() }: ReadLayoutOptions,
): Undescribed & Pick<About, 'program' | 'process'> {
  const known = config ?? configFromMetadata(file)
  const isOwn = known !== null && unpublishedFields(known).length > 0
  const found = isOwn ? UNRECOGNISED : recogniseProgram(shapesOf(file), saved)
  if (found.needs.length > 0) throw new RangeError(`weights: ${describeNeeds(found)}`)
  const written = aboutFromMetadata(file)
  const program = written.program ?? found.program
  const entries = new Map([...file.entries].filter(([name]) => !isLeftOut(program, name)))
  const inferred =
    known === null
      ? inferBlocks(shapesOf(file), { program: found.program, saved, hints })
      : { config: known, assumptions: [] }
  if (inferred === null) {
    throw new LayoutError('weights: the names must be those of a DiT', {
      missing: TELLING.filter((name) => !entries.has(name)),
      misshaped: [],
      unexpected: [],
    })
  }
  if (known === null) requireStart(inferred.config)
  requireParameters(inferred.config, { entries })
  const process = written.process ?? found.process ?? processOf(program, saved)
  return { ...file, entries, layout: 'reference', ...inferred, program, process }
}
