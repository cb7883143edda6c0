/** One row of a bar chart. */
export interface Bar {
  readonly name: string
  readonly value: number
  /** The value as it is read. */
  readonly text: string
  /** Whether it is ours, or there for comparison. */
  readonly isOurs: boolean
}

/**
 * A bar chart as an HTML list: it is text, so that it can be read out, searched and made narrow.
 *
 * @param options `isLog` draws lengths by the logarithm, from a third of the smallest value on
 */
export function bars(
  rows: readonly Bar[],
  { title, isLog }: { readonly title: string; readonly isLog: boolean },
): string {
  const most = Math.max(...rows.map(({ value }) => value))
  const least = Math.min(...rows.map(({ value }) => value)) / 3
  const share = (value: number) => (isLog ? Math.log(value / least) / Math.log(most / least) : value / most)
  const items = rows.map(
    ({ name, value, text, isOurs }) =>
      `<li class="${isOurs ? 'is-ours' : ''}"><span class="bar-name">${escape(name)}</span><span class="bar-value">${escape(text)}</span><span class="bar" style="width: ${(100 * share(value)).toFixed(1)}%"></span></li>`,
  )
  return `<ul class="bars" aria-label="${escape(title)}">${items.join('')}</ul>${isLog ? '<p class="source-file">Lengths are logarithms.</p>' : ''}`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
