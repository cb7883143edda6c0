import { computed, defineComponent, h, onBeforeUnmount, onMounted, ref, watch } from 'vue'
import { choice, frame, slider } from './controls.js'
import type { Component } from './mixture.js'
import { onThemeChange, useWidth } from './page.js'
import { drawPlane } from './plane.js'
import { solve, wayOf } from './solve.js'

/** Three classes that overlap, each with a long shape of its own. */
const CLASSES: readonly Component[] = [0, 1, 2].flatMap((label) =>
  Array.from({ length: 6 }, (_, i): Component => {
    const angle = (label * 2 * Math.PI) / 3 + Math.PI / 2
    const along = 0.1 + 0.3 * i
    const across = 0.35 * Math.sin(i)
    return {
      mean: [along * Math.cos(angle) - across * Math.sin(angle), along * Math.sin(angle) + across * Math.cos(angle)],
      deviation: 0.22,
      weight: 1,
      label,
    }
  }),
)

const NAMES = ['north', 'south-west', 'south-east'] as const
const COUNT = 160
const WAYS = 10

/** Classifier-free guidance on a mixture of three classes: more scale, less variety. */
export const GuidanceFigure = defineComponent({
  name: 'GuidanceFigure',
  setup() {
    const label = ref('0')
    const scale = ref(1)
    const states = ref<Float64Array[]>([])
    const canvas = ref<HTMLCanvasElement | null>(null)
    const { element, width } = useWidth(560)
    const side = computed(() => Math.min(width.value, 480))
    let running = new AbortController()

    const work = async () => {
      running.abort()
      running = new AbortController()
      const question = { mixture: CLASSES, solver: 'heun', numSteps: 16, count: COUNT, seed: 3 } as const
      states.value = await solve({
        ...question,
        interpolant: 'linear',
        label: Number(label.value),
        guidance: scale.value,
        signal: running.signal,
      })
    }
    const start = () => {
      work().catch((error: unknown) => {
        if (!(error instanceof DOMException && error.name === 'AbortError')) throw error
      })
    }
    const paint = () => {
      if (canvas.value === null || states.value.length === 0) return
      const color = Number(label.value) + 1
      drawPlane(canvas.value, {
        side: side.value,
        mixture: CLASSES,
        ways: Array.from({ length: WAYS }, (_, i) => ({ at: wayOf(states.value, i), color: 4 })),
        points: [{ at: states.value.at(-1)!, color }],
      })
    }
    onMounted(start)
    onBeforeUnmount(() => running.abort())
    onThemeChange(paint)
    watch([label, scale], start)
    watch([states, side], paint, { flush: 'post' })

    return () => {
      const end = states.value.at(-1)
      return frame(
        {
          title: 'Guidance pulls samples towards a class',
          caption:
            'The density is that of all three classes together. At scale 1 samples spread over the whole class, its overlap with the others included; above 1 they leave the overlap and crowd; at 0 the class is ignored. `guided` of @dit/sampler over an exact denoiser, Heun, 16 steps.',
          controls: [
            choice({
              label: 'Class',
              name: 'guidance-class',
              value: label.value,
              options: NAMES.map((text, i) => ({ value: String(i), text })),
              onChange: (value) => (label.value = value),
            }),
            slider({
              label: 'Guidance scale',
              min: 0,
              max: 8,
              step: 0.25,
              value: scale.value,
              shown: scale.value.toFixed(2),
              onChange: (value) => (scale.value = value),
            }),
          ],
        },
        h('div', { ref: element, class: 'figure-plane' }, [
          h('canvas', {
            ref: canvas,
            role: 'img',
            style: { width: `${side.value}px`, height: `${side.value}px` },
            'aria-label': `Samples of the class ${NAMES[Number(label.value)]} with guidance ${scale.value}`,
          }),
        ]),
        h('dl', { class: 'figure-facts', 'aria-live': 'polite' }, [
          h('div', [h('dt', 'Spread of the samples'), h('dd', end === undefined ? '…' : spread(end).toFixed(2))]),
          h('div', [
            h('dt', 'Nearest to a component of another class'),
            h('dd', end === undefined ? '…' : `${Math.round(100 * strayed(end, Number(label.value)))} %`),
          ]),
        ]),
      )
    }
  },
})

/** Root mean square distance of points from their centre. */
function spread(points: Float64Array): number {
  const count = points.length / 2
  const centre = [0, 1].map((axis) => points.reduce((sum, value, i) => sum + (i % 2 === axis ? value : 0), 0) / count)
  return Math.sqrt(points.reduce((sum, value, i) => sum + (value - centre[i % 2]) ** 2, 0) / count)
}

/** The share of points whose nearest component belongs to another class. */
function strayed(points: Float64Array, label: number): number {
  let strays = 0
  for (let i = 0; i < points.length; i += 2) {
    const away = ({ mean }: Component) => Math.hypot(points[i] - mean[0], points[i + 1] - mean[1])
    const nearest = CLASSES.reduce((a, b) => (away(a) <= away(b) ? a : b))
    if (nearest.label !== label) strays++
  }
  return strays / (points.length / 2)
}
