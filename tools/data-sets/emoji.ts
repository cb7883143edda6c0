import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

interface Emoji {
  readonly category: string
  readonly image: string
  readonly [hasImage: `has_img_${string}`]: boolean
}

/** Pieces of other emoji, such as patches of skin. */
const LEFT_OUT = 'Component'

/**
 * Copies the pictures of an `emoji-datasource-<vendor>` package into a folder per category, variants of the skin's colour left
 * out; returns a line that says what was written.
 */
export async function writeEmoji(from: string, out: string): Promise<string> {
  const { name } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as { readonly name: string }
  const vendor = name.replace('emoji-datasource-', '')
  const all = JSON.parse(await readFile(join(from, 'emoji.json'), 'utf8')) as readonly Emoji[]
  const chosen = all.filter((emoji) => emoji[`has_img_${vendor}`] && emoji.category !== LEFT_OUT)
  if (chosen.length === 0) throw new Error(`emoji: ${from} has no pictures of ${vendor}`)
  const folders = new Set<string>()
  for (const { category, image } of chosen) {
    const folder = category.toLowerCase().replaceAll(/[^a-z]+/g, '-')
    if (!folders.has(folder)) await mkdir(join(out, folder), { recursive: true })
    folders.add(folder)
    await copyFile(join(from, 'img', vendor, '64', image), join(out, folder, image))
  }
  return `${chosen.length} pictures of ${folders.size} categories in ${out}`
}
