import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

/** Writes a tarball as npm packs one: a file of another kind first, then `package.json`. */
export function writeTarball(path: string, manifest: object): void {
  const text = JSON.stringify(manifest)
  const members = [member('package/LICENSE', 'x'.repeat(700)), member('package/package.json', text), Buffer.alloc(1024)]
  writeFileSync(path, gzipSync(Buffer.concat(members)))
}

function member(name: string, text: string): Buffer {
  const bytes = Buffer.from(text)
  const whole = Buffer.alloc(512 * (1 + Math.ceil(bytes.length / 512)))
  whole.write(name, 0)
  whole.write(bytes.length.toString(8).padStart(11, '0'), 124)
  bytes.copy(whole, 512)
  return whole
}
