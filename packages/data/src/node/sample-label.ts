import { textOf } from '../tar/tar-header.js'
import type { TarMember } from '../tar/tar-members.js'

/** What a sample says of its class: its number, or its name. */
export type SampleLabel = number | string

/** A label, or why there is none. */
export type FoundLabel = { readonly label: SampleLabel } | { readonly reason: string }

/** Bytes that a label may have, and a sample's JSON. */
const [MAX_CLS, MAX_JSON] = [1024, 2 ** 20]

/**
 * Reads the label of a sample from its fields: `cls`, an integer in text, or else `label` in `json`, an integer or a name.
 *
 * @param fields  the sample's members, by field
 * @param key     of the sample, for the reason
 */
export async function sampleLabel(fields: ReadonlyMap<string, TarMember>, key: string): Promise<FoundLabel> {
  const cls = fields.get('cls')
  if (cls !== undefined) {
    const text = sizeOf(cls) > MAX_CLS ? 'too long' : textOf(await cls.read()).trim()
    const label = /^\d{1,9}$/.test(text) ? Number(text) : null
    return label === null
      ? { reason: `${key}.cls must hold a class number, 0 or more (got ${shown(text)})` }
      : { label }
  }
  const json = fields.get('json')
  if (json === undefined) return { reason: `it has no label: neither ${key}.cls nor "label" in ${key}.json` }
  if (sizeOf(json) > MAX_JSON) return { reason: `${key}.json is larger than ${MAX_JSON} bytes` }
  return labelInJson(textOf(await json.read()), key)
}

function labelInJson(text: string, key: string): FoundLabel {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { reason: `${key}.json is no JSON` }
  }
  const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, 'label')
  if (!isObject) return { reason: `it has no label: there is no ${key}.cls, and no "label" in ${key}.json` }
  const { label } = value as { label: unknown }
  if (typeof label === 'string' && label.trim() !== '') return { label }
  if (Number.isSafeInteger(label) && Number(label) >= 0 && Number(label) < 1e9) return { label: Number(label) }
  const got = typeof label === 'string' || typeof label === 'number' ? String(label) : 'neither'
  return { reason: `"label" in ${key}.json must be a class number or a name (got ${shown(got)})` }
}

function sizeOf({ start, end }: TarMember): number {
  return end - start
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 40))
}
