import { readFile } from 'node:fs/promises'
import { NpyError, readNpz } from '@dit/checkpoint'
import type { LabelledPictures, ReferenceStatistics } from '@dit/evaluate'
import { readAdmStatistics } from '@dit/metrics'
import { UsageError } from '../terminal/errors.js'

/** What an npz holds. */
export type NpzContents =
  | { readonly kind: 'pictures'; readonly pictures: LabelledPictures; readonly hasStatistics: boolean }
  | { readonly kind: 'statistics'; readonly reference: ReferenceStatistics }

/** Where an npz of ours says what its statistics were made with: JSON as bytes. Other programs do not look at it. */
export const MADE_WITH = 'dit_json'

/** Numbers beyond are no classes, but something else in the place of them. */
const MOST_CLASSES = 1_000_000

/** What statistics of ours were made with. */
export interface MadeWith {
  readonly name: string
  readonly fingerprint: string
  readonly layer: string
  readonly count: number
  readonly size: readonly [number, number]
}

/**
 * Reads an npz of the ADM suite: pictures in `arr_0`, uint8 [N, H, W, 3], with classes in `arr_1`; or statistics in `mu` and `sigma`.
 *
 * @throws UsageError for what is neither
 */
export async function readEvaluationNpz(flag: string, path: string): Promise<NpzContents> {
  const where = flag === '' ? path : `${flag} ${path}`
  const file = await readNpz(await readFile(path)).catch((cause: unknown) => {
    if (!(cause instanceof NpyError)) throw cause
    throw new UsageError(`${where}: ${cause.message.replace(/^npz: /, '')}`, { cause })
  })
  const arrays = new Map<string, { readonly shape: readonly number[]; readonly data: unknown }>()
  const names = [...file.keys()]
  for (const name of names) arrays.set(name, file.get(name)!)
  const pictures = arrays.get('arr_0')
  if (pictures !== undefined) {
    return {
      kind: 'pictures',
      pictures: picturesOf(where, pictures, arrays.get('arr_1')),
      hasStatistics: arrays.has('mu'),
    }
  }
  if (!arrays.has('mu') && !arrays.has('sigma')) {
    throw new UsageError(
      `${where}: an npz must hold pictures in arr_0, or statistics in mu and sigma; it has ${names.join(', ') || 'no arrays'}`,
    )
  }
  const madeWith = madeWithOf(arrays.get(MADE_WITH)?.data)
  try {
    const statistics = readAdmStatistics(arrays, { count: madeWith?.count ?? null })
    return { kind: 'statistics', reference: { statistics, ...(madeWith === null ? {} : { madeWith }) } }
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause
    throw new UsageError(`${where}: ${cause.message.replace(/^\w+: /, '')}`, { cause })
  }
}

function picturesOf(
  where: string,
  { shape, data }: { readonly shape: readonly number[]; readonly data: unknown },
  labels: { readonly shape: readonly number[]; readonly data: unknown } | undefined,
): LabelledPictures {
  if (!(data instanceof Uint8Array))
    throw new UsageError(`${where}: arr_0 must be pictures as uint8, from 0 to 255; it is of another type`)
  const isGrey = shape.length === 3 || (shape.length === 4 && shape[3] === 1)
  if (!isGrey && (shape.length !== 4 || shape[3] !== 3)) {
    throw new UsageError(
      `${where}: arr_0 must be RGB pictures [N, H, W, 3], or grey ones [N, H, W]; its shape is [${shape.join(', ')}]`,
    )
  }
  const [count, height, width] = shape
  if (count < 1) throw new UsageError(`${where}: arr_0 holds no pictures`)
  const pixels = isGrey ? Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]) : data
  const pictures = { count, height, width, pixels }
  if (labels === undefined) return pictures
  const own = Array.from(labels.data as ArrayLike<number | bigint>, Number)
  if (own.length !== count) {
    throw new UsageError(
      `${where}: arr_1 must hold a class from 0 for each of ${count} pictures; its shape is [${labels.shape.join(', ')}]`,
    )
  }
  const wrong = own.find((label) => !(Number.isInteger(label) && label >= 0 && label < MOST_CLASSES))
  if (wrong !== undefined)
    throw new UsageError(
      `${where}: classes in arr_1 must be whole numbers from 0 to ${MOST_CLASSES - 1} (got ${wrong})`,
    )
  return { ...pictures, labels: Int32Array.from(own) }
}

function madeWithOf(data: unknown): MadeWith | null {
  if (!(data instanceof Uint8Array)) return null
  try {
    return JSON.parse(new TextDecoder().decode(data)) as MadeWith
  } catch {
    return null
  }
}
