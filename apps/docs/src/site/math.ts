import type { MarkdownRenderer } from 'vitepress'

/** TeX as MathML, which browsers draw and read out themselves: no fonts and no script. */
export type RenderTex = (tex: string, isDisplay: boolean) => string

/**
 * Formulas in Markdown: between single dollars in a line, between double dollars on lines of their own.
 *
 * Only texts with `math: true` at their top have formulas; in all others a dollar is a dollar.
 */
export function mathRules(md: MarkdownRenderer, render: RenderTex): void {
  const hasMath = (env: unknown) =>
    (env as { readonly frontmatter?: { readonly math?: unknown } } | undefined)?.frontmatter?.math === true

  md.inline.ruler.after('escape', 'math', (state, silent) => {
    if (state.src[state.pos] !== '$' || !hasMath(state.env)) return false
    const end = state.src.indexOf('$', state.pos + 1)
    if (end <= state.pos + 1) return false
    if (!silent) state.push('math_inline', 'math', 0).content = state.src.slice(state.pos + 1, end)
    state.pos = end + 1
    return true
  })

  md.block.ruler.before('fence', 'math_block', (state, startLine, endLine, silent) => {
    const lineAt = (i: number) => state.src.slice(state.bMarks[i] + state.tShift[i], state.eMarks[i]).trim()
    if (!hasMath(state.env) || lineAt(startLine) !== '$$') return false
    let last = startLine + 1
    while (last < endLine && lineAt(last) !== '$$') last++
    if (last === endLine) return false
    if (!silent) {
      const token = state.push('math_block', 'math', 0)
      token.content = Array.from({ length: last - startLine - 1 }, (_, i) => lineAt(startLine + 1 + i)).join('\n')
    }
    state.line = last + 1
    return true
  })

  md.renderer.rules['math_inline'] = (tokens, i) => `<span v-html="${quoted(render(tokens[i].content, false))}"></span>`
  md.renderer.rules['math_block'] = (tokens, i) =>
    `<div class="equation" tabindex="0" role="group" aria-label="equation" v-html="${quoted(render(tokens[i].content, true))}"></div>\n`
}

/** Markup as an expression of a Vue template: Vue must not take it apart, since it finds some of MathML not as it wrote it. */
function quoted(markup: string): string {
  return JSON.stringify(markup).replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
