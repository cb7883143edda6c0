import { computed, defineComponent, h, onBeforeUnmount, onMounted, ref, watch } from 'vue'
import { choice, frame, slider } from './controls.js'
import type { Component } from './mixture.js'
import { onThemeChange, useWidth } from './page.js'
import { drawPlane } from './plane.js'
import { distance, SOLVERS, solve, wayOf } from './solve.js'

/** Three bananas of small Gaussians: curved enough that big steps miss them. */
export const SPIRAL: readonly Component[] = Array.from({ length: 24 }, (_, i) => {
  const arm = i % 3
  const along = 0.25 + Math.floor(i / 3) / 8
  const angle = (arm * 2 * Math.PI) / 3 + 1.5 * along
  const radius = 0.35 + 1.75 * along
  return { mean: [radius * Math.cos(angle), radius * Math.sin(angle)], deviation: 0.11, weight: 1, label: arm }
})

const WAYS = 14
const COUNT = 120
const EXACT_STEPS = 100

type Name = keyof typeof SOLVERS

/** Solvers of @dit/sampler on a mixture whose perfect denoiser is known: where their steps lead, and how far they miss. */
export const SolversFigure = defineComponent({
  name: 'SolversFigure',
  setup() {
    const solver = ref<Name>('euler')
    const numSteps = ref(6)
    const seed = ref(1)
    const states = ref<Float64Array[]>([])
    const miss = ref<number | null>(null)
    const canvas = ref<HTMLCanvasElement | null>(null)
    const { element, width } = useWidth(560)
    const side = computed(() => Math.min(width.value, 480))
    let exact: { readonly seed: number; readonly end: Float64Array } | undefined
    let running = new AbortController()

    const work = async () => {
      running.abort()
      running = new AbortController()
      const { signal } = running
      const question = { mixture: SPIRAL, count: COUNT, seed: seed.value, interpolant: 'linear', signal } as const
      const found = await solve({ ...question, solver: solver.value, numSteps: numSteps.value })
      if (exact?.seed !== seed.value) {
        const truth = await solve({ ...question, solver: 'exact', numSteps: EXACT_STEPS })
        exact = { seed: seed.value, end: truth.at(-1)! }
      }
      states.value = found
      miss.value = solver.value === 'ancestral' ? null : distance(found.at(-1)!, exact.end)
    }
    const start = () => {
      work().catch((error: unknown) => {
        if (!(error instanceof DOMException && error.name === 'AbortError')) throw error
      })
    }
    const paint = () => {
      if (canvas.value === null || states.value.length === 0) return
      drawPlane(canvas.value, {
        side: side.value,
        mixture: SPIRAL,
        ways: Array.from({ length: WAYS }, (_, i) => ({ at: wayOf(states.value, i), color: 2 })),
        points: [
          { at: states.value.at(-1)!, color: 1 },
          { at: states.value[0].slice(0, 2 * WAYS), color: 4, isHollow: true },
        ],
      })
    }
    onMounted(start)
    onBeforeUnmount(() => running.abort())
    onThemeChange(paint)
    watch([solver, numSteps, seed], start)
    watch([states, side], paint, { flush: 'post' })

    return () => {
      const { calls, text } = SOLVERS[solver.value]
      const missed = states.value.length === 0 ? '…' : (miss.value?.toFixed(3) ?? 'none: its noise is its own')
      return frame(
        {
          title: 'From noise to samples, step by step',
          caption:
            'Hollow points are noise; lines follow some of them to where a solver of @dit/sampler takes them; filled points are all its samples, over the density they should have. The distance is from where the exact flow leads the same noise (classical Runge-Kutta, 100 steps), root mean square.',
          controls: [
            choice({
              label: 'Solver',
              name: 'solver',
              value: solver.value,
              options: (Object.keys(SOLVERS) as Name[]).map((value) => ({ value, text: SOLVERS[value].text })),
              onChange: (value) => (solver.value = value),
            }),
            slider({
              label: 'Steps',
              min: 1,
              max: 40,
              step: 1,
              value: numSteps.value,
              onChange: (value) => (numSteps.value = value),
            }),
            slider({
              label: 'Seed',
              min: 0,
              max: 20,
              step: 1,
              value: seed.value,
              onChange: (value) => (seed.value = value),
            }),
          ],
        },
        h('div', { ref: element, class: 'figure-plane' }, [
          h('canvas', {
            ref: canvas,
            role: 'img',
            style: { width: `${side.value}px`, height: `${side.value}px` },
            'aria-label': `Samples of ${text} with ${numSteps.value} steps on a spiral of Gaussians`,
          }),
        ]),
        h('dl', { class: 'figure-facts', 'aria-live': 'polite' }, [
          h('div', [h('dt', 'Calls of the network'), h('dd', String(calls * numSteps.value))]),
          h('div', [h('dt', 'Distance from the exact flow'), h('dd', missed)]),
        ]),
      )
    }
  },
})
