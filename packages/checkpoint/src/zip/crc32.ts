/**
 * CRC-32 of zip and PNG (reflected polynomial 0xEDB88320), eight bytes at a time through eight tables.
 *
 * @param before that of the bytes before these, where they come in pieces
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before
  const inEights = bytes.length - (bytes.length % 8)
  let i = 0
  for (; i < inEights; i += 8) {
    const low = crc ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24))
    crc =
      tables[0x700 | (low & 0xff)] ^
      tables[0x600 | ((low >>> 8) & 0xff)] ^
      tables[0x500 | ((low >>> 16) & 0xff)] ^
      tables[0x400 | (low >>> 24)] ^
      tables[0x300 | bytes[i + 4]] ^
      tables[0x200 | bytes[i + 5]] ^
      tables[0x100 | bytes[i + 6]] ^
      tables[bytes[i + 7]]
  }
  for (; i < bytes.length; i++) crc = tables[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Table k, of 256 entries from 256 k on, passes a byte that stands k places before the last one. */
const tables = /* @__PURE__ */ makeTables()

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    tables[byte] = crc
  }
  for (let i = 256; i < tables.length; i++) tables[i] = tables[tables[i - 256] & 0xff] ^ (tables[i - 256] >>> 8)
  return tables
}
