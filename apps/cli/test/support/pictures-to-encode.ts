import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

/** A tiny autoencoder, as diffusers saves one. */
export const vae = fileURLToPath(new URL('../../../../test/fixtures/pipeline/vae', import.meta.url))

export const ENGINE: readonly string[] = ['--backend', 'cpu-wasm', '--threads', '1']

/** Two classes of five pictures of 10 by 12 pixels. */
export async function makePictures(folder: string): Promise<void> {
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, name), { recursive: true })
    for (let i = 0; i < 5; i++) {
      const raw = Buffer.from(
        Array.from({ length: 10 * 12 * 3 }, (_, at) => (at * (7 + i) + (name === 'b' ? 90 : 0)) % 256),
      )
      const picture = sharp(raw, { raw: { width: 10, height: 12, channels: 3 } })
      await picture.png().toFile(join(folder, name, `${i}.png`))
    }
  }
}

/** `dit encode` of these pictures into files of four. */
export function encodeArgs(pictures: string, out: string): string[] {
  const sizes = ['--size', '8', '--shard', '4', '--batch', '3']
  return ['encode', pictures, '--vae', vae, '--out', out, ...sizes, ...ENGINE]
}
