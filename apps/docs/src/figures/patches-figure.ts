import { SHAPE_CLASSES, type ShapeClass } from '@dit/data'
import { dispose, tensor } from '@dit/tensor'
import { patchify, tokenGrid } from '@dit/tokenizer'
import { defineComponent, h, nextTick, onMounted, ref, watch } from 'vue'
import { choice, frame, slider } from './controls.js'
import { useEngine } from './engine.js'
import { filePicture, paintPicture, shapePicture, SIDE } from './picture.js'

const PATCH_SIZES = [2, 4, 8, 16] as const

/** A picture cut into patches by @dit/tokenizer, and one token of it as the numbers that the network is given. */
export const PatchesFigure = defineComponent({
  name: 'PatchesFigure',
  setup() {
    const shape = ref<ShapeClass | 'own'>('crescent')
    const own = ref<Float32Array | null>(null)
    const problem = ref('')
    const patchIndex = ref(2)
    const token = ref(5)
    const tokens = ref<Float64Array>(new Float64Array(0))
    const whole = ref<HTMLCanvasElement | null>(null)
    const strip = ref<HTMLElement | null>(null)
    const patchSize = () => PATCH_SIZES[patchIndex.value]
    const width = () => 3 * patchSize() ** 2
    const numTokens = () => {
      const [rows, columns] = tokenGrid(SIDE, patchSize())
      return rows * columns
    }
    const picture = () => (shape.value === 'own' ? own.value! : shapePicture(shape.value))

    const cut = async () => {
      await useEngine()
      const x = tensor(picture(), [1, 3, SIDE, SIDE])
      const cut = patchify(x, patchSize())
      tokens.value = Float64Array.from(await cut.data())
      dispose([x, cut])
      token.value = Math.min(token.value, numTokens() - 1)
      await nextTick()
      paint()
    }
    const paint = () => {
      if (whole.value !== null) paintPicture(whole.value, picture())
      const canvases = strip.value?.querySelectorAll('canvas') ?? []
      canvases.forEach((canvas, i) => {
        paintPicture(canvas, tokens.value.subarray(i * width(), (i + 1) * width()), patchSize(), patchSize())
      })
    }
    const take = async (event: Event) => {
      const file = (event.target as HTMLInputElement).files?.[0]
      if (file === undefined) return
      problem.value = ''
      try {
        own.value = await filePicture(file)
        shape.value = 'own'
        await cut()
      } catch (error) {
        problem.value = `${(error as Error).message}. Try a PNG, JPEG or WebP.`
      }
    }
    onMounted(cut)
    watch([shape, patchIndex], cut)

    return () => {
      const [rows, columns] = tokenGrid(SIDE, patchSize())
      const N = numTokens()
      const mine = tokens.value.subarray(token.value * width(), (token.value + 1) * width())
      return frame(
        {
          title: 'A picture as tokens',
          caption:
            'Left: a picture of 32 × 32 pixels with the grid of its patches. Right: the same patches as the sequence that the network reads. Below: the numbers of one token, channel by channel. All from `patchify` of @dit/tokenizer.',
          controls: [
            slider({
              label: 'Patch size P',
              min: 0,
              max: PATCH_SIZES.length - 1,
              step: 1,
              value: patchIndex.value,
              shown: `${patchSize()} × ${patchSize()} pixels`,
              onChange: (value) => (patchIndex.value = value),
            }),
            slider({
              label: 'Token',
              min: 0,
              max: N - 1,
              step: 1,
              value: token.value,
              shown: `${token.value} of ${N}`,
              onChange: (value) => (token.value = value),
            }),
            choice({
              label: 'Picture',
              name: 'patches-picture',
              value: shape.value,
              options: [
                ...SHAPE_CLASSES.map((value) => ({ value, text: value })),
                ...(own.value === null ? [] : [{ value: 'own' as const, text: 'yours' }]),
              ],
              onChange: (value) => (shape.value = value),
            }),
            h('label', { class: 'figure-file' }, [
              h('span', { class: 'figure-label' }, 'Or one of yours (it stays in this page)'),
              h('input', { type: 'file', accept: 'image/*', onChange: take }),
            ]),
            h('p', { class: 'figure-problem', role: 'status' }, problem.value),
          ],
        },
        h('div', { class: 'patches' }, [
          h('div', { class: 'patches-whole' }, [
            h('canvas', { ref: whole, role: 'img', 'aria-label': `A picture: ${shape.value}` }),
            h('div', {
              class: 'patches-grid',
              'aria-hidden': 'true',
              style: { backgroundSize: `${100 / columns}% ${100 / rows}%` },
            }),
            h('div', {
              class: 'patches-chosen',
              'aria-hidden': 'true',
              style: {
                width: `${100 / columns}%`,
                height: `${100 / rows}%`,
                left: `${(100 * (token.value % columns)) / columns}%`,
                top: `${(100 * Math.floor(token.value / columns)) / rows}%`,
              },
            }),
          ]),
          h(
            'div',
            {
              ref: strip,
              class: 'patches-strip',
              role: 'img',
              'aria-label': `${N} tokens`,
              style: { '--columns': columns },
            },
            Array.from({ length: N }, (_, i) =>
              h('canvas', { key: `${patchSize()}-${i}`, class: i === token.value ? 'is-chosen' : '' }),
            ),
          ),
        ]),
        h(
          'div',
          { class: 'patches-values', role: 'img', 'aria-label': `The ${width()} numbers of token ${token.value}` },
          Array.from(mine, (value, i) => h('span', { key: i, style: { '--value': ((value + 1) / 2).toFixed(3) } })),
        ),
        h('dl', { class: 'figure-facts', 'aria-live': 'polite' }, [
          h('div', [h('dt', 'Tokens N'), h('dd', `${rows} × ${columns} = ${N}`)]),
          h('div', [h('dt', 'Numbers a token'), h('dd', `3 · ${patchSize()}² = ${width()}`)]),
          h('div', [h('dt', 'Pairs in attention'), h('dd', `N² = ${(N * N).toLocaleString('en')}`)]),
        ]),
      )
    }
  },
})
