import { type PictureData, toImageData } from '@dit/pipeline'
import { defineComponent, h, onMounted, type PropType, ref, type VNode, watch } from 'vue'
import { choice } from '../figures/controls.js'
import { blankPicture, type Colour, paintLine, type Pixel, pixelAt } from './paint.js'

const COLOURS: readonly { readonly name: string; readonly colour: Colour }[] = [
  { name: 'black', colour: [20, 20, 28] },
  { name: 'white', colour: [240, 240, 240] },
  { name: 'grey', colour: [140, 140, 150] },
  { name: 'brown', colour: [120, 80, 50] },
  { name: 'skin', colour: [224, 172, 128] },
  { name: 'red', colour: [190, 50, 50] },
  { name: 'gold', colour: [220, 180, 60] },
  { name: 'green', colour: [70, 140, 70] },
  { name: 'blue', colour: [70, 100, 190] },
]

const SIZES = [1, 2, 4, 8]

const KEYS: Readonly<Record<string, Pixel>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

/** A small picture to paint on, by pointer or by keyboard, or to fill from a file. `change` brings each new picture, `file` a file that was chosen. */
export const DrawingPad = defineComponent({
  name: 'DrawingPad',
  props: {
    /** What it shows; square, RGBA. */
    picture: { type: Object as PropType<PictureData>, required: true },
    /** The colour of an empty picture. */
    ground: { type: Object as PropType<Colour>, required: true },
  },
  emits: {
    change: (picture: PictureData) => picture.width === picture.height,
    file: (file: File) => file instanceof File,
  },
  setup(props, { emit }) {
    const canvas = ref<HTMLCanvasElement | null>(null)
    const colour = ref('gold')
    const size = ref('2')
    const cursor = ref<Pixel | null>(null)
    let own = copyOf(props.picture)
    let last: Pixel | null = null
    const side = () => own.width

    const show = () => {
      if (canvas.value === null) return
      // A canvas is cleared where its size is set.
      canvas.value.width = canvas.value.height = side()
      canvas.value.getContext('2d')!.putImageData(toImageData(own), 0, 0)
    }
    const take = (picture: PictureData) => {
      own = copyOf(picture)
      show()
    }
    const hand = (picture: PictureData) => {
      take(picture)
      emit('change', copyOf(own))
    }
    const paint = (to: Pixel) => {
      const chosen = COLOURS.find(({ name }) => name === colour.value)?.colour ?? props.ground
      paintLine(own, last ?? to, to, { size: Number(size.value), colour: chosen })
      last = to
      show()
    }
    const at = (event: PointerEvent) => pixelAt(event, canvas.value!.getBoundingClientRect(), side())
    const begin = (event: PointerEvent) => {
      if (event.button !== 0) return
      canvas.value!.setPointerCapture(event.pointerId)
      cursor.value = null
      last = null
      paint(at(event))
    }
    const end = () => {
      if (last === null) return
      last = null
      emit('change', copyOf(own))
    }
    const press = (event: KeyboardEvent) => {
      const [x, y] = cursor.value ?? [side() >> 1, side() >> 1]
      const step = KEYS[event.key]
      if (step !== undefined) {
        event.preventDefault()
        const within = (value: number) => Math.min(Math.max(value, 0), side() - 1)
        cursor.value = [within(x + step[0]), within(y + step[1])]
      } else if (event.key === ' ' || event.key === 'Enter') {
        event.preventDefault()
        cursor.value = [x, y]
        last = null
        paint([x, y])
        end()
      }
    }
    onMounted(show)
    watch(() => props.picture, take)

    return () => {
      const pixel = cursor.value
      const place = pixel === null ? '' : `Column ${pixel[0] + 1}, row ${pixel[1] + 1} of ${side()}`
      return h('div', { class: 'pad' }, [
        h('div', { class: 'pad-canvas' }, [
          h('canvas', {
            ref: canvas,
            tabindex: 0,
            role: 'application',
            'aria-label': 'Drawing to start from',
            'aria-describedby': 'pad-hint',
            onPointerdown: begin,
            onPointermove: (event: PointerEvent) => {
              if (last !== null) paint(at(event))
            },
            onPointerup: end,
            onPointercancel: end,
            onKeydown: press,
          }),
          pixel === null
            ? null
            : h('div', { class: 'pad-cursor', 'aria-hidden': 'true', style: cursorStyle(pixel, side()) }),
        ]),
        h(
          'p',
          { id: 'pad-hint', class: 'pad-hint' },
          'Paint here, or drop a picture on the page. By keyboard: arrows move, space paints.',
        ),
        h('p', { class: 'pad-place', 'aria-live': 'polite' }, place),
        palette(colour.value, (name) => (colour.value = name), props.ground),
        choice({
          label: 'Brush',
          name: 'pad-size',
          value: size.value,
          options: SIZES.map((value) => ({ value: String(value), text: `${value} px` })),
          onChange: (value) => (size.value = value),
        }),
        h('label', { class: 'figure-file' }, [
          h('span', { class: 'figure-label' }, 'Or a picture of yours (it stays in this page)'),
          h('input', {
            type: 'file',
            accept: 'image/*',
            onChange: (event: Event) => {
              const file = (event.target as HTMLInputElement).files?.[0]
              if (file !== undefined) emit('file', file)
            },
          }),
        ]),
        h('div', [
          h(
            'button',
            { type: 'button', class: 'play-button', onClick: () => hand(blankPicture(side(), props.ground)) },
            'Clear',
          ),
        ]),
      ])
    }
  },
})

function copyOf({ width, height, data }: PictureData): PictureData {
  return { width, height, data: Uint8ClampedArray.from(data) }
}

function cursorStyle([x, y]: Pixel, side: number): Record<string, string> {
  const percent = (value: number) => `${(100 * value) / side}%`
  return { left: percent(x), top: percent(y), width: percent(1), height: percent(1) }
}

/** Colours as radio buttons; the first one is the ground, which erases. */
function palette(value: string, onChange: (name: string) => void, ground: Colour): VNode {
  const options = [{ name: 'ground', colour: ground }, ...COLOURS]
  return h('fieldset', { class: 'figure-choice' }, [
    h('legend', { class: 'figure-label' }, ['Colour', h('output', { class: 'figure-value' }, value)]),
    h(
      'div',
      { class: 'figure-options' },
      options.map(({ name, colour }) =>
        h('label', { class: 'figure-option pad-colour', key: name, title: name }, [
          h('input', {
            type: 'radio',
            name: 'pad-colour',
            value: name,
            'aria-label': name,
            checked: name === value,
            onChange: () => onChange(name),
          }),
          h('span', { style: { background: `rgb(${colour.join(' ')})` } }),
        ]),
      ),
    ),
  ])
}
