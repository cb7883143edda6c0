import { allocateCompute, type LossLaw, lossAt, PUBLISHED_LAWS, sizeExponent } from '@dit/scaling'
import { computed, defineComponent, h, ref } from 'vue'
import { choice, frame, slider } from './controls.js'
import { useWidth } from './page.js'
import { evenTicks, legend, plot, powerOfTen, powerTicks } from './plot.js'

type Name = keyof typeof PUBLISHED_LAWS

const BUDGETS = [18, 19, 20, 21, 22, 23, 24]
const SIZES = [6, 12.5] as const

/** A law of loss against size and data: curves of equal compute, and the best size for each. */
export const ScalingFigure = defineComponent({
  name: 'ScalingFigure',
  setup() {
    const name = ref<Name>('besiroglu2024')
    const alpha = ref<number>(PUBLISHED_LAWS.besiroglu2024.law.alpha)
    const beta = ref<number>(PUBLISHED_LAWS.besiroglu2024.law.beta)
    const budget = ref(21)
    const { element, width } = useWidth()
    const law = computed((): LossLaw => ({ ...PUBLISHED_LAWS[name.value].law, alpha: alpha.value, beta: beta.value }))
    const choose = (value: Name) => {
      name.value = value
      alpha.value = PUBLISHED_LAWS[value].law.alpha
      beta.value = PUBLISHED_LAWS[value].law.beta
    }

    return () => {
      const best = allocateCompute(law.value, 10 ** budget.value)
      const equalCompute = (power: number) =>
        Array.from({ length: 131 }, (_, i) => {
          const n = 10 ** (SIZES[0] + ((SIZES[1] - SIZES[0]) * i) / 130)
          return [n, lossAt(law.value, n, 10 ** power / (6 * n))] as const
        })
      const curves = [
        ...BUDGETS.map((power) => ({ name: `at ${power}`, color: 6, isFaint: true, points: equalCompute(power) })),
        { name: 'equal compute, the chosen budget', color: 1, points: equalCompute(budget.value) },
        {
          name: 'the best size for each budget',
          color: 2,
          isDashed: true,
          points: BUDGETS.map((power) => {
            const { n, loss } = allocateCompute(law.value, 10 ** power)
            return [n, loss] as const
          }),
        },
      ]
      return frame(
        {
          title: 'How large a network for a given budget?',
          caption: `Law: ${PUBLISHED_LAWS[name.value].source}: ${PUBLISHED_LAWS[name.value].about}. Loss is E + A / N^α + B / D^β; compute is 6 N D. \`allocateCompute\` of @dit/scaling finds the best N. \`dit scaling fit\` finds such a law for your own pictures.`,
          controls: [
            slider({
              label: 'Compute',
              min: 18,
              max: 24,
              step: 0.25,
              value: budget.value,
              shown: `${powerOf(10 ** budget.value)} FLOPs`,
              onChange: (value) => (budget.value = value),
            }),
            slider({
              label: 'Exponent α of size',
              min: 0.2,
              max: 0.5,
              step: 0.005,
              value: alpha.value,
              shown: alpha.value.toFixed(3),
              onChange: (value) => (alpha.value = value),
            }),
            slider({
              label: 'Exponent β of data',
              min: 0.2,
              max: 0.5,
              step: 0.005,
              value: beta.value,
              shown: beta.value.toFixed(3),
              onChange: (value) => (beta.value = value),
            }),
            choice({
              label: 'Start from',
              name: 'scaling-law',
              value: name.value,
              options: [
                { value: 'besiroglu2024', text: 'Besiroglu et al. 2024' },
                { value: 'hoffmann2022', text: 'Hoffmann et al. 2022' },
              ],
              onChange: choose,
            }),
          ],
        },
        h('div', { ref: element }, [
          plot({
            width: width.value,
            height: 320,
            curves,
            points: [{ x: best.n, y: best.loss, color: 1 }],
            label: `Loss against size at equal compute; the best size is ${powerOf(best.n)}`,
            x: {
              domain: [10 ** SIZES[0], 10 ** SIZES[1]],
              isLog: true,
              ticks: powerTicks(1e6, 1e12, 2),
              title: 'parameters N',
            },
            y: { domain: [1.5, 6], ticks: evenTicks(2, 6, 4, 0), title: 'loss' },
          }),
        ]),
        legend(curves.slice(BUDGETS.length)),
        h('dl', { class: 'figure-facts', 'aria-live': 'polite' }, [
          h('div', [h('dt', 'Best size N'), h('dd', powerOf(best.n))]),
          h('div', [h('dt', 'Data D'), h('dd', powerOf(best.d))]),
          h('div', [h('dt', 'Loss'), h('dd', best.loss.toFixed(3))]),
          h('div', [h('dt', 'N grows as compute to'), h('dd', sizeExponent(law.value).toFixed(2))]),
        ]),
      )
    }
  },
})

/** 3.2 × 10⁹ */
function powerOf(value: number): string {
  const power = Math.floor(Math.log10(value) + 1e-9)
  return `${(value / 10 ** power).toFixed(1)} × ${powerOfTen(power)}`
}
