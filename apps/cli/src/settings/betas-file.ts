import { readFileSync } from 'node:fs'
import { readNpy } from '@dit/checkpoint'
import { InvalidArgumentError } from 'commander'
import { messageOf } from '../terminal/errors.js'
import { path as pathText } from './values.js'

/**
 * The noise variances in a file, as the text of a JSON list: a JSON list of numbers, or an `.npy` file with one axis. As text
 * two lists are compared like any other option.
 *
 * @throws InvalidArgumentError for a file that cannot be read, or holds something else
 */
export function betasFlag(text: string): string {
  const bytes = readBytes(pathText(text))
  const betas = isNpy(bytes) ? npyValues(bytes) : jsonValues(bytes)
  if (betas.length === 0) throw new InvalidArgumentError('The list is empty.')
  return JSON.stringify(betas)
}

/** The list that `betasFlag` gives. */
export function parseBetas(flag: string): readonly number[] {
  return JSON.parse(flag) as number[]
}

/** A list as `betasFlag` gives it; undefined for no list. */
export function betasText(betas: readonly number[] | undefined): string | undefined {
  return betas === undefined ? undefined : JSON.stringify(betas)
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new InvalidArgumentError(`${messageOf(error)}.`)
  }
}

function isNpy(bytes: Uint8Array): boolean {
  return bytes[0] === 0x93 && new TextDecoder().decode(bytes.subarray(1, 6)) === 'NUMPY'
}

function npyValues(bytes: Uint8Array): number[] {
  try {
    const { shape, data } = readNpy(bytes)
    if (shape.length === 1) return Array.from(data as ArrayLike<number>, Number)
  } catch (error) {
    throw new InvalidArgumentError(`${messageOf(error)}.`)
  }
  throw new InvalidArgumentError('The array must have one axis.')
}

function jsonValues(bytes: Uint8Array): number[] {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw new InvalidArgumentError('The file must be an .npy file or a JSON list of numbers.')
  }
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'number')) return value
  throw new InvalidArgumentError('The file must be an .npy file or a JSON list of numbers.')
}
