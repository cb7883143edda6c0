import { transformWithOxc } from 'vite'

/** The example of a README: the code of its first ts block and the output promised by the text block after it. */
export interface Example {
  readonly code: string
  readonly output: string
}

/**
 * The first ```ts block of a README and the ```text block that follows it.
 *
 * @throws RangeError when one of them is missing
 */
export function extractExample(markdown: string): Example {
  const blocks = [...markdown.matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```[ \t]*$/gm)].map(([, language, body]) => ({
    language,
    body: body ?? '',
  }))
  const start = blocks.findIndex(({ language }) => language === 'ts')
  if (start < 0) throw new RangeError('extractExample: a README must hold a ```ts block (there is none)')
  const next = blocks[start + 1]
  if (next?.language !== 'text') {
    throw new RangeError('extractExample: the first ```ts block must be followed by its output in a ```text block')
  }
  return { code: blocks[start].body, output: next.body }
}

/** Every ```ts block of a README, in order. */
export function typescriptBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts[^\n]*\n([\s\S]*?)^```[ \t]*$/gm)].map(([, body]) => body)
}

/** The code of an example as Node runs it: without its types. */
export async function withoutTypes(code: string): Promise<string> {
  return (await transformWithOxc(code, 'example.ts', { lang: 'ts' })).code
}

/** Output as it is compared: without the blanks that end lines and the empty lines that end the text. */
export function trimOutput(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()
}
