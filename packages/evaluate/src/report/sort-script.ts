/**
 * Makes the columns of tables with the class `sortable` sortable: a header becomes a button, and `aria-sort` says the order. Cells sort
 * by `data-value`, or by their text. Without it a page loses nothing else.
 */
export const SORT_SCRIPT: string = `
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0]
  heads.forEach((head, column) => {
    const button = document.createElement('button')
    button.append(...head.childNodes)
    head.append(button)
    button.addEventListener('click', () => {
      const isUp = head.getAttribute('aria-sort') !== 'ascending'
      for (const other of heads) other.removeAttribute('aria-sort')
      head.setAttribute('aria-sort', isUp ? 'ascending' : 'descending')
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent
      const isNumeric = head.dataset.kind === 'number'
      const compare = (a, b) => {
        if (!isNumeric) return a.localeCompare(b, 'en', { numeric: true })
        return (a === '') - (b === '') || (isUp ? a - b : b - a)
      }
      const rows = [...body.rows].map((row) => [key(row), row]).sort(([a], [b]) => compare(a, b))
      if (!isUp && !isNumeric) rows.reverse()
      body.append(...rows.map(([, row]) => row))
    })
  })
}
`

/** SHA-256 of the script in base64: the only script that a page may run. */
export const SORT_SCRIPT_SHA256 = 'pDbC8m0koYJR4F+0R7Pz1EKsYRizykkpbTvhpK4FofI='
