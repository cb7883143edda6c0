import { sincosPositions } from '@dit/tokenizer'
import { computed, defineComponent, h, ref } from 'vue'
import { choice, frame, slider } from './controls.js'

const GRID = 16

/** How like the position of one token is to that of every other: what attention starts from. */
export const PositionsFigure = defineComponent({
  name: 'PositionsFigure',
  setup() {
    const row = ref(5)
    const column = ref(9)
    const hiddenSize = ref('384')
    const table = computed(() => sincosPositions(Number(hiddenSize.value), [GRID, GRID]))
    const likeness = computed(() => {
      const D = Number(hiddenSize.value)
      const at = row.value * GRID + column.value
      const mine = table.value.subarray(at * D, (at + 1) * D)
      return Array.from({ length: GRID * GRID }, (_, i) => {
        const other = table.value.subarray(i * D, (i + 1) * D)
        return mine.reduce((sum, value, k) => sum + value * other[k], 0) / (D / 2)
      })
    })
    return () =>
      frame(
        {
          title: 'Where a token stands',
          caption:
            'The cosine between the position of the chosen token and that of each other one in a grid of 16 × 16 (`sincosPositions` of @dit/tokenizer). Before anything is learned, a query and a key of equal weights already prefer the same row, the same column and the neighbourhood.',
          controls: [
            slider({
              label: 'Row',
              min: 0,
              max: GRID - 1,
              step: 1,
              value: row.value,
              onChange: (value) => (row.value = value),
            }),
            slider({
              label: 'Column',
              min: 0,
              max: GRID - 1,
              step: 1,
              value: column.value,
              onChange: (value) => (column.value = value),
            }),
            choice({
              label: 'Hidden size D',
              name: 'positions-size',
              value: hiddenSize.value,
              options: ['64', '384', '1152'].map((value) => ({ value, text: value })),
              onChange: (value) => (hiddenSize.value = value),
            }),
          ],
        },
        h(
          'div',
          {
            class: 'positions',
            role: 'img',
            'aria-label': `Likeness of positions to row ${row.value}, column ${column.value}`,
          },
          likeness.value.map((value, i) =>
            h('span', {
              key: i,
              class: i === row.value * GRID + column.value ? 'is-chosen' : '',
              style: { '--value': Math.max(0, value).toFixed(3) },
            }),
          ),
        ),
      )
  },
})
