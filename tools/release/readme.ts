import { transformWithOxc } from 'vite'

/** The example of a README: a ts block and the output promised by the text block after it. */
export interface Example {
  /** The ts blocks before it, such as one that writes the file that it reads. */
  readonly before: readonly string[]
  readonly code: string
  readonly output: string
}

/** An example somewhere in a page. */
export interface PageExample {
  readonly heading: string
  readonly code: string
  readonly output: string | null
}

/**
 * The first ```ts block of a README that a ```text block follows, and the ```ts blocks before it: they run one after another.
 *
 * @throws RangeError when one of them is missing
 */
export function extractExample(markdown: string): Example {
  const examples = extractExamples(markdown)
  if (examples.length === 0) throw new RangeError('extractExample: a README must hold a ```ts block (there is none)')
  const at = examples.findIndex(({ output }) => output !== null)
  if (at < 0) {
    throw new RangeError('extractExample: a ```ts block must be followed by its output in a ```text block')
  }
  return {
    before: examples.slice(0, at).map(({ code }) => code),
    code: examples[at].code,
    output: examples[at].output!,
  }
}

/** What the install line of a README names; empty where it has none. */
export function installedPackages(markdown: string): string[] {
  return /^npm install (.*)$/m.exec(markdown)?.[1].split(/\s+/) ?? []
}

/** Every ```ts block of a page, with the heading that it stands under; `output` is null unless a ```text block follows. */
export function extractExamples(markdown: string): PageExample[] {
  const examples: { heading: string; code: string; output: string | null }[] = []
  let [heading, before] = ['', '']
  for (const [, title, language, body] of markdown.matchAll(/^#+ ([^\n]*)$|^```(\w*)[^\n]*\n([\s\S]*?)^```[ \t]*$/gm)) {
    if (title !== undefined) {
      heading = title
      continue
    }
    if (language === 'ts') examples.push({ heading, code: body, output: null })
    if (language === 'text' && before === 'ts') examples.at(-1)!.output = body
    before = language
  }
  return examples
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
