import { SHAPE_CLASSES, type ShapeClass } from '@dit/data'
import { normals, randomStream } from '@dit/random'
import { diffusionTables, flowLevel, namedBetas } from '@dit/schedules'
import { defineComponent, h, nextTick, onMounted, ref, watch } from 'vue'
import { choice, frame, slider } from './controls.js'
import { useWidth } from './page.js'
import { paintPicture, shapePicture } from './picture.js'
import { type Curve, evenTicks, legend, plot } from './plot.js'

const T = 1000
const tables = {
  linear: diffusionTables(namedBetas('linear', T)),
  cosine: diffusionTables(namedBetas('squaredcos_cap_v2', T)),
}

/** alpha and sigma at a time in [0, 1]. */
type LevelAt = (t: number) => { readonly alpha: number; readonly sigma: number }

const ofTable =
  (name: keyof typeof tables): LevelAt =>
  (t) => {
    const i = Math.min(T - 1, Math.round(t * (T - 1)))
    return { alpha: tables[name].sqrtAlphaBar[i], sigma: tables[name].sqrtOneMinusAlphaBar[i] }
  }

const PATHS: readonly { readonly name: string; readonly color: number; readonly at: LevelAt }[] = [
  { name: 'DDPM, linear', color: 1, at: ofTable('linear') },
  { name: 'DDPM, cosine', color: 2, at: ofTable('cosine') },
  { name: 'flow, straight', color: 3, at: (t) => flowLevel(t) },
  { name: 'flow, gvp', color: 5, at: (t) => flowLevel(t, { interpolant: 'gvp' }) },
]

type Quantity = 'alpha' | 'sigma' | 'snr'

const QUANTITIES: Readonly<
  Record<Quantity, { readonly text: string; readonly of: (level: ReturnType<LevelAt>) => number }>
> = {
  alpha: { text: 'signal α', of: ({ alpha }) => alpha },
  sigma: { text: 'noise σ', of: ({ sigma }) => sigma },
  snr: { text: 'log₁₀ of signal to noise', of: ({ alpha, sigma }) => 2 * Math.log10(alpha / sigma) },
}

const POINTS = 120

/** How much noise each schedule or path puts on a picture at the same time. */
export const SchedulesFigure = defineComponent({
  name: 'SchedulesFigure',
  setup() {
    const t = ref(0.35)
    const quantity = ref<Quantity>('snr')
    const shape = ref<ShapeClass>('ring')
    const { element, width } = useWidth()
    const pictures = ref<HTMLElement | null>(null)

    const paint = () => {
      const x0 = shapePicture(shape.value)
      const noise = normals(randomStream(7, 'schedules figure'), x0.length)
      pictures.value?.querySelectorAll('canvas').forEach((canvas, i) => {
        const { alpha, sigma } = PATHS[i].at(t.value)
        paintPicture(
          canvas,
          x0.map((value, k) => alpha * value + sigma * noise[k]),
        )
      })
    }
    onMounted(() => nextTick(paint))
    watch([t, shape], paint)

    return () => {
      const { of, text } = QUANTITIES[quantity.value]
      const domain = quantity.value === 'snr' ? ([-6, 6] as const) : ([0, 1] as const)
      const curves: Curve[] = PATHS.map(({ name, color, at }) => ({
        name,
        color,
        points: Array.from({ length: POINTS + 1 }, (_, i) => [i / POINTS, of(at(i / POINTS))] as const),
      }))
      return frame(
        {
          title: 'The same time, four amounts of noise',
          caption:
            'Curves of @dit/schedules: two discrete schedules of 1,000 timesteps and two paths of continuous time. The pictures have the same noise, mixed in as each of them says at the chosen time.',
          controls: [
            slider({
              label: 'Time t',
              min: 0,
              max: 1,
              step: 0.01,
              value: t.value,
              shown: t.value.toFixed(2),
              onChange: (value) => (t.value = value),
            }),
            choice({
              label: 'Curve',
              name: 'schedules-quantity',
              value: quantity.value,
              options: (Object.keys(QUANTITIES) as Quantity[]).map((value) => ({
                value,
                text: QUANTITIES[value].text,
              })),
              onChange: (value) => (quantity.value = value),
            }),
            choice({
              label: 'Picture',
              name: 'schedules-picture',
              value: shape.value,
              options: SHAPE_CLASSES.map((value) => ({ value, text: value })),
              onChange: (value) => (shape.value = value),
            }),
          ],
        },
        h('div', { ref: element }, [
          plot({
            width: width.value,
            height: 260,
            curves,
            mark: t.value,
            label: `${text} against time, for ${PATHS.map(({ name }) => name).join(', ')}`,
            x: { domain: [0, 1], ticks: evenTicks(0, 1, 4, 2), title: 'time t: 0 is data, 1 is noise' },
            y: { domain, ticks: evenTicks(domain[0], domain[1], 4, quantity.value === 'snr' ? 0 : 2), title: text },
          }),
        ]),
        legend(curves),
        h(
          'div',
          { ref: pictures, class: 'noised' },
          PATHS.map(({ name, color, at }) => {
            const { alpha, sigma } = at(t.value)
            return h('div', { key: name, style: { '--color': `var(--dit-series-${color})` } }, [
              h('canvas', { role: 'img', 'aria-label': `The picture under ${name}` }),
              h('strong', name),
              h('span', `α ${alpha.toFixed(2)}, σ ${sigma.toFixed(2)}`),
            ])
          }),
        ),
      )
    }
  },
})
