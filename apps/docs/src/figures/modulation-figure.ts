import { normals, randomStream } from '@dit/random'
import { timestepFeatures } from '@dit/schedules'
import { dispose, gatedResidual, layerNormModulate, tensor } from '@dit/tensor'
import { defineComponent, h, onMounted, ref, watch } from 'vue'
import { frame, slider } from './controls.js'
import { useEngine } from './engine.js'
import { useWidth } from './page.js'
import { evenTicks, legend, plot } from './plot.js'

const D = 48
/** As DiT has it. */
const EPSILON = 1e-6

/** One token under adaptive layer norm: what shift, scale and gate do to it. */
export const ModulationFigure = defineComponent({
  name: 'ModulationFigure',
  setup() {
    const shift = ref(0.5)
    const scale = ref(0.5)
    const gate = ref(0)
    const inside = ref<readonly number[]>([])
    const outside = ref<readonly number[]>([])
    const token = normals(randomStream(5, 'modulation figure'), D).map((value, i) => 1.2 + value + Math.sin(i / 4))
    const { element, width } = useWidth()

    const work = async () => {
      await useEngine()
      const x = tensor(token, [1, 1, D])
      const every = (value: number) => tensor(new Float64Array(D).fill(value), [1, D])
      const [shifts, scales, gates] = [every(shift.value), every(scale.value), every(gate.value)]
      const modulated = layerNormModulate(x, shifts, scales, EPSILON)
      const out = gatedResidual(x, gates, modulated)
      inside.value = Array.from(await modulated.data())
      outside.value = Array.from(await out.data())
      dispose([x, shifts, scales, gates, modulated, out])
    }
    onMounted(work)
    watch([shift, scale, gate], work)

    return () => {
      const curveOf = (values: ArrayLike<number>) => Array.from(values, (value, i) => [i, value] as const)
      const curves = [
        { name: 'token x', color: 6, points: curveOf(token), isFaint: false, isDashed: true },
        { name: 'what the layer sees', color: 2, points: curveOf(inside.value) },
        { name: 'what leaves', color: 1, points: curveOf(outside.value) },
      ]
      const control = (label: string, model: typeof shift, most: number) =>
        slider({
          label,
          min: -most,
          max: most,
          step: 0.05,
          value: model.value,
          shown: model.value.toFixed(2).replace('-', '−'),
          onChange: (value) => (model.value = value),
        })
      return frame(
        {
          title: 'Shift, scale and gate',
          caption:
            'One token of 48 numbers. Here the layer between is the identity, so that its gate is all that matters. With gate 0, as every block begins, what leaves is what came: the block is the identity whatever the layer does. `layerNormModulate` and `gatedResidual` of @dit/tensor.',
          controls: [control('Shift β', shift, 2), control('Scale γ', scale, 2), control('Gate α', gate, 1)],
        },
        h('div', { ref: element }, [
          plot({
            width: width.value,
            height: 260,
            curves,
            label: 'A token before, inside and after a modulated layer',
            x: {
              domain: [0, D - 1],
              ticks: [0, 12, 24, 36, 47].map((at) => ({ at, text: String(at) })),
              title: 'feature',
            },
            y: { domain: [-6, 8], ticks: evenTicks(-6, 8, 7, 0), title: 'value' },
          }),
        ]),
        legend(curves),
      )
    }
  },
})

const FEATURES = 256

/** The waves that tell the network the time. */
export const TimestepFigure = defineComponent({
  name: 'TimestepFigure',
  setup() {
    const timestep = ref(250)
    const { element, width } = useWidth()
    return () => {
      const here = timestepFeatures([timestep.value], FEATURES)
      const likeness = Array.from({ length: 201 }, (_, i) => {
        const other = timestepFeatures([5 * i], FEATURES)
        const product = here.reduce((sum, value, k) => sum + value * other[k], 0)
        return [5 * i, product / (FEATURES / 2)] as const
      })
      const curve = { name: 'likeness', color: 1, points: likeness }
      return frame(
        {
          title: 'What the network is told of the time',
          caption:
            'Above: the 256 features of one timestep, cosines and then sines, from fast to slow (`timestepFeatures` of @dit/schedules). Below: how like they are to those of every other timestep. Near ones are alike, so the network can share what it learns.',
          controls: [
            slider({
              label: 'Timestep',
              min: 0,
              max: 1000,
              step: 5,
              value: timestep.value,
              onChange: (value) => (timestep.value = value),
            }),
          ],
        },
        h(
          'div',
          { class: 'waves', role: 'img', 'aria-label': `The features of timestep ${timestep.value}` },
          Array.from(here, (value, i) => h('span', { key: i, style: { '--value': ((value + 1) / 2).toFixed(3) } })),
        ),
        h('div', { ref: element }, [
          plot({
            width: width.value,
            height: 200,
            curves: [curve],
            mark: timestep.value,
            label: `Likeness of the features of timestep ${timestep.value} to those of others`,
            x: { domain: [0, 1000], ticks: evenTicks(0, 1000, 4, 0), title: 'timestep' },
            y: { domain: [0, 1.05], ticks: evenTicks(0, 1, 4, 2), title: 'cosine' },
          }),
        ]),
      )
    }
  },
})
