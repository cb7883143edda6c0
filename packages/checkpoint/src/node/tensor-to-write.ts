import { requireData, type StoredArray, type StoredSpec } from '../dtype.js'
import { quote } from '../quote.js'

type MaybePromise<T> = T | Promise<T>

/** A tensor to be written: its elements, or a function that fetches them when their turn comes. */
export interface TensorToWrite extends StoredSpec {
  readonly data: StoredArray['data'] | (() => MaybePromise<StoredArray['data']>)
}

/** The elements, checked against dtype and shape. */
export async function dataOf(who: string, name: string, tensor: TensorToWrite): Promise<StoredArray['data']> {
  const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data
  requireData(`${who}: tensor ${quote(name)}`, tensor, data)
  return data
}
