/** Bytes between two pauses, in which a page can paint: some hundred milliseconds of work. */
const PIECE = 2 ** 25

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes. FIPS 180-4, section 4.2.2. */
const K = Int32Array.from(primes(64), (p) => fraction(Math.cbrt(p)))

/** Those of the square roots of the first 8. Section 5.3.3. */
const START = Int32Array.from(primes(8), (p) => fraction(Math.sqrt(p)))

/**
 * The SHA-256 of bytes, in hexadecimal: of any length, and also in pages that are not served securely, where there is no `crypto.subtle`.
 */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const { subtle } = (globalThis as { crypto?: { subtle?: SubtleCrypto } }).crypto ?? {}
  // Engines differ in how much they take: Node's less than 2 GiB. The loop below is slower.
  const digest = await subtle?.digest('SHA-256', bytes).catch(() => undefined)
  if (digest !== undefined) return hexadecimal(new Uint8Array(digest))
  const hash = startSha256()
  for (let at = 0; at < bytes.length; at += PIECE) {
    hash.update(bytes.subarray(at, at + PIECE))
    await new Promise((resolve) => setTimeout(resolve))
  }
  return hash.digest()
}

/** SHA-256 of bytes that come in pieces: FIPS 180-4, section 6.2. `digest` ends it. */
export function startSha256(): { update(bytes: Uint8Array): void; digest(): string } {
  const state = START.slice()
  const words = new Int32Array(64)
  const rest = new Uint8Array(64)
  let [length, held] = [0, 0]
  const update = (bytes: Uint8Array) => {
    length += bytes.length
    let at = 0
    if (held > 0) {
      at = Math.min(64 - held, bytes.length)
      rest.set(bytes.subarray(0, at), held)
      held += at
      if (held < 64) return
      compress(state, words, rest, 0)
    }
    for (; at + 64 <= bytes.length; at += 64) compress(state, words, bytes, at)
    rest.set(bytes.subarray(at))
    held = bytes.length - at
  }
  return {
    update,
    digest() {
      // A one, zeros up to 56 bytes of a block, and the length in bits.
      const padding = new Uint8Array((held < 56 ? 64 : 128) - held)
      padding[0] = 0x80
      new DataView(padding.buffer).setBigUint64(padding.length - 8, BigInt(length) * 8n)
      update(padding)
      const bytes = new DataView(new ArrayBuffer(32))
      state.forEach((word, i) => bytes.setInt32(4 * i, word))
      return hexadecimal(new Uint8Array(bytes.buffer))
    },
  }
}

/** One block of 64 bytes, from `at` on. */
function compress(state: Int32Array, w: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) {
    const j = at + 4 * i
    w[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3]
  }
  for (let i = 16; i < 64; i++) {
    const [x, y] = [w[i - 15], w[i - 2]]
    const small0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3)
    const small1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10)
    w[i] = (w[i - 16] + small0 + w[i - 7] + small1) | 0
  }
  let a = state[0]
  let b = state[1]
  let c = state[2]
  let d = state[3]
  let e = state[4]
  let f = state[5]
  let g = state[6]
  let h = state[7]
  for (let i = 0; i < 64; i++) {
    const big1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
    const big0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
    const first = (h + big1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0
    const second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  state[0] += a
  state[1] += b
  state[2] += c
  state[3] += d
  state[4] += e
  state[5] += f
  state[6] += g
  state[7] += h
}

function rotated(x: number, bits: number): number {
  return (x >>> bits) | (x << (32 - bits))
}

function fraction(x: number): number {
  return Math.floor((x - Math.floor(x)) * 2 ** 32) | 0
}

function primes(count: number): number[] {
  const found: number[] = []
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p !== 0)) found.push(n)
  return found
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
