import { maskedCrc32c } from './crc32c.js'

/** Bytes of a record before and after its data: length and its CRC, CRC of the data. */
const [BEFORE, AFTER] = [12, 4]

/**
 * A record of a TFRecord file: the length of the data as 64 bits, its masked CRC-32C, the data, their masked CRC-32C; all little-endian.
 */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(BEFORE + data.length + AFTER)
  const view = new DataView(record.buffer)
  view.setBigUint64(0, BigInt(data.length), true)
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true)
  record.set(data, BEFORE)
  view.setUint32(BEFORE + data.length, maskedCrc32c(data), true)
  return record
}

/** The data of a file's records, up to the first one that is cut short or damaged. */
export function decodeRecords(file: Uint8Array): { readonly records: Uint8Array[]; readonly isWhole: boolean } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const records: Uint8Array[] = []
  let at = 0
  while (at < file.length) {
    const length = at + BEFORE + AFTER <= file.length ? Number(view.getBigUint64(at, true)) : Infinity
    const end = at + BEFORE + length + AFTER
    if (end > file.length || view.getUint32(at + 8, true) !== maskedCrc32c(file.subarray(at, at + 8))) break
    const data = file.subarray(at + BEFORE, end - AFTER)
    if (view.getUint32(end - AFTER, true) !== maskedCrc32c(data)) break
    records.push(data)
    at = end
  }
  return { records, isWhole: at === file.length }
}
