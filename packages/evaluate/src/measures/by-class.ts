import type { ClassResult } from '../evaluation.js'
import type { Measured, MeasureOptions, SideFeatures } from './measured.js'
import { measureSides } from './measure-sides.js'
import type { MeasureName, TitleContext } from './names.js'
import { resultOf, rowsOf } from './with-floors.js'

/** Pictures of a class on either side from which on its measures say something. */
const FEWEST = 20

/** Measures of one class: those without a bias by the number of pictures, of which a class has few. */
const OF_CLASSES: readonly MeasureName[] = ['kid', 'precision', 'recall']

/** Features of a side, and the class of each row. */
export interface LabelledSide {
  readonly side: SideFeatures
  readonly labels: Int32Array
  readonly classNames: readonly string[]
}

/** What was found of each class of the real pictures. */
export function measureClasses(
  real: LabelledSide,
  generated: LabelledSide,
  options: MeasureOptions & { readonly title: TitleContext },
): ClassResult[] {
  return real.classNames.map((className, label) => {
    const own = placesOf(real.labels, label)
    const theirs = placesOf(generated.labels, generated.classNames.indexOf(className))
    const isEnough = Math.min(own.length, theirs.length) >= Math.max(FEWEST, options.k + 1)
    const sides = () => ({ real: rowsOf(real.side, own), generated: rowsOf(generated.side, theirs) })
    const measured = isEnough ? measureSides(sides(), OF_CLASSES, options) : new Map<MeasureName, Measured>()
    return {
      className,
      numGenerated: theirs.length,
      numReal: own.length,
      // Every class has few pictures; that need not be said of each.
      measures: [...measured].map(([name, one]) => resultOf(name, { ...one, warnings: [] }, null, one, options.title)),
    }
  })
}

function placesOf(labels: Int32Array, label: number): Uint32Array {
  return Uint32Array.from(Array.from(labels.keys()).filter((place) => labels[place] === label))
}
