import { defineComponent, h, onBeforeUnmount, onMounted, ref } from 'vue'
import type { Component } from './mixture.js'
import { onThemeChange, themeColor, useWidth, wantsLessMotion } from './page.js'
import { solve } from './solve.js'

/** The letters d, i, t as dots of a 5 by 7 matrix each. */
const LETTERS = [
  ['....#', '....#', '.####', '#...#', '#...#', '#...#', '.####'],
  ['.#.', '...', '##.', '.#.', '.#.', '.#.', '###'],
  ['.#..', '.#..', '####', '.#..', '.#..', '.#.#', '..##'],
]

const GAP = 1
const COUNT = 900
const NUM_STEPS = 40
/** Frames of the film between two steps of the solver. */
const FRAMES = 3

/** Every dot of the letters is a Gaussian. */
function lettering(): Component[] {
  const width = LETTERS.reduce((sum, [row]) => sum + row.length, GAP * (LETTERS.length - 1))
  const pitch = 4.4 / width
  let left = 0
  return LETTERS.flatMap((rows) => {
    const from = left
    left += rows[0].length + GAP
    return rows.flatMap((row, y) =>
      row.split('').flatMap((dot, x): Component[] =>
        dot === '.'
          ? []
          : [
              {
                mean: [(from + x - (width - 1) / 2) * pitch, ((rows.length - 1) / 2 - y) * pitch],
                deviation: 0.055,
                weight: 1,
                label: 0,
              },
            ],
      ),
    )
  })
}

/** Noise that a sampler turns into the project's name, in the page: DDIM over the exact denoiser of a mixture of Gaussians. */
export const HeroFigure = defineComponent({
  name: 'HeroFigure',
  setup() {
    const canvas = ref<HTMLCanvasElement | null>(null)
    const { element, width } = useWidth(420)
    const seed = ref(0)
    let states: Float64Array[] = []
    let frame = 0
    let request = 0
    let running = new AbortController()

    const paint = () => {
      const state = Math.min(frame / FRAMES, states.length - 1)
      const before = states[Math.floor(state)]
      const after = states[Math.ceil(state)]
      if (canvas.value === null || before === undefined) return
      const share = state - Math.floor(state)
      draw(
        canvas.value,
        width.value,
        before.map((value, i) => value + share * (after[i] - value)),
      )
    }
    const play = () => {
      paint()
      frame++
      if (frame <= FRAMES * (states.length - 1)) request = requestAnimationFrame(play)
    }
    const start = async () => {
      cancelAnimationFrame(request)
      running.abort()
      running = new AbortController()
      const mixture = lettering()
      const question = { mixture, solver: 'ddim', numSteps: NUM_STEPS, count: COUNT, interpolant: 'linear' } as const
      states = await solve({ ...question, seed: seed.value, signal: running.signal })
      frame = wantsLessMotion() ? FRAMES * (states.length - 1) : 0
      play()
    }
    const restart = () => {
      start().catch((error: unknown) => {
        if (!(error instanceof DOMException && error.name === 'AbortError')) throw error
      })
    }
    onMounted(restart)
    onThemeChange(paint)
    onBeforeUnmount(() => {
      running.abort()
      cancelAnimationFrame(request)
    })

    return () =>
      h('div', { ref: element, class: 'hero-figure' }, [
        h('canvas', {
          ref: canvas,
          role: 'img',
          'aria-label': 'Points of noise that a sampler moves until they spell dit',
        }),
        h(
          'button',
          {
            type: 'button',
            class: 'hero-again',
            onClick: () => {
              seed.value++
              restart()
            },
          },
          'Other noise',
        ),
      ])
  },
})

function draw(canvas: HTMLCanvasElement, width: number, points: Float64Array): void {
  const [wide, high] = [width, Math.round(width * 0.72)]
  canvas.width = Math.round(wide * devicePixelRatio)
  canvas.height = Math.round(high * devicePixelRatio)
  canvas.style.height = `${high}px`
  const context = canvas.getContext('2d')!
  context.scale(devicePixelRatio, devicePixelRatio)
  const unit = wide / 5.2
  const colors = [1, 2, 5].map((i) => themeColor(`--dit-series-${i}`))
  for (let i = 0; i < points.length; i += 2) {
    context.beginPath()
    context.arc(wide / 2 + unit * points[i], high / 2 - unit * points[i + 1], unit * 0.026, 0, 2 * Math.PI)
    context.fillStyle = colors[(i / 2) % colors.length]
    context.globalAlpha = 0.8
    context.fill()
  }
}
