import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

/** What `emoji.json` says of a picture. */
interface Emoji {
  readonly image: string
  readonly category: string
  readonly [vendor: `has_img_${string}`]: boolean | undefined
}

/** Skin tones and hair on their own: no emoji. */
const LEFT_OUT = 'Component'

/**
 * Writes a class folder for each category of an unpacked package `emoji-datasource-<vendor>`; returns a line that says what was written. Variants by
 * skin tone are left out.
 */
export async function writeEmoji(from: string, out: string): Promise<string> {
  const vendor = await vendorOf(from)
  const list = JSON.parse(await readFile(join(from, 'emoji.json'), 'utf8')) as Emoji[]
  const chosen = list.filter((emoji) => emoji.category !== LEFT_OUT && emoji[`has_img_${vendor}`] === true)
  if (chosen.length === 0) throw new Error(`emoji: ${from}/emoji.json lists no pictures of ${vendor}`)
  const classes = new Set<string>()
  for (const { image, category } of chosen) {
    const name = category.toLowerCase().replaceAll(/[^a-z]+/g, '-')
    if (!classes.has(name)) await mkdir(join(out, name), { recursive: true })
    classes.add(name)
    // Written anew: palettes become RGBA, so that all are of one kind.
    await sharp(join(from, 'img', vendor, '64', image))
      .ensureAlpha()
      .png()
      .toFile(join(out, name, image))
  }
  return `${chosen.length} pictures of ${classes.size} classes in ${out}`
}

async function vendorOf(from: string): Promise<string> {
  const { name } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as { readonly name?: string }
  const vendor = /^emoji-datasource-(\w+)$/.exec(name ?? '')?.[1]
  if (vendor === undefined)
    throw new Error(`emoji: ${from} must be a package emoji-datasource-<vendor>; its name is ${String(name)}`)
  return vendor
}
