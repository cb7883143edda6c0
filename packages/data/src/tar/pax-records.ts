import type { FailTar } from './tar-error.js'
import { textOf } from './tar-header.js'

/**
 * The records of a pax header: `30 path=a long name\n`, each with its own length first (POSIX.1-2001, "pax Interchange Format").
 *
 * @throws the error that `fail` makes where a record has another length than it says
 */
export function paxRecords(bytes: Uint8Array, offset: number, fail: FailTar): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const digits = space < 0 || space > at + 10 ? '' : textOf(bytes.subarray(at, space))
    const length = /^\d+$/.test(digits) ? Number(digits) : 0
    const equals = bytes.indexOf(0x3d, space + 1)
    const end = at + length
    if (length < 4 || end > bytes.length || equals < 0 || equals >= end || bytes[end - 1] !== 0x0a) {
      throw fail('a pax header cannot be read: the archive is damaged', offset)
    }
    records.set(textOf(bytes.subarray(space + 1, equals)), textOf(bytes.subarray(equals + 1, end - 1)))
    at = end
  }
  return records
}
