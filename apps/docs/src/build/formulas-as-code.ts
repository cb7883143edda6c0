import type { CommentDisplayPart } from 'typedoc'

/**
 * A doc comment whose indented paragraphs, which are equations and tables, are blocks of code.
 *
 * Comments of this repository set an equation in by two spaces or more:
 *
 *   xt = (1 - t) x0 + t noise
 *
 * which Markdown takes for prose. Comments with links in them are left as they are.
 */
export function formulasAsCode(parts: readonly CommentDisplayPart[]): CommentDisplayPart[] {
  if (parts.some(({ kind }) => kind !== 'text' && kind !== 'code')) return [...parts]
  const text = parts.map((part) => part.text).join('')
  if (!/^ {2}/m.test(text) || text.includes('```')) return [...parts]
  const paragraphs = text.split(/\n{2,}/).map((paragraph) => {
    const lines = paragraph.replace(/^\n+/, '').trimEnd().split('\n')
    if (!lines.every((line) => /^ {2}/.test(line))) return paragraph
    const margin = Math.min(...lines.map((line) => /^ */.exec(line)![0].length))
    return ['```text', ...lines.map((line) => line.slice(margin)), '```'].join('\n')
  })
  return [{ kind: 'text', text: paragraphs.join('\n\n') }]
}
