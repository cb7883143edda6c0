import { type FusedKernels, sizeOf } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'

const LANES = 256

const FIELDS = [
  'gradient_scale',
  'keep',
  'beta1',
  'rest1',
  'beta2',
  'rest2',
  'correction',
  'epsilon',
  'rate',
  'ema_keep',
  'ema_rest',
] as const

/** One step over a flat segment, in the order of operations of `adamw` of `@dit/tensor`. */
export function adamwKernel(runtime: Runtime): Pick<FusedKernels, 'adamw'> {
  return {
    adamw(parameter, gradient, m, v, ema, step) {
      const { learningRate, beta1, beta2, epsilon, weightDecay, gradientScale, emaDecay } = step
      const size = sizeOf(parameter.shape)
      const isVector = size % 4 === 0
      const type = isVector ? 'vec4<f32>' : 'f32'
      const hasEma = ema !== null
      const kernel = runtime.kernel(`adamw/${isVector ? 4 : 1}/${hasEma}`, () => ({
        label: 'adamw',
        storage: [
          reads('gradient', type),
          ...['parameter', 'm', 'v', ...(hasEma ? ['ema'] : [])].map((name) => writes(name, type)),
        ],
        params: [['n', 'u32'], ...FIELDS.map((name) => [name, 'f32'] as const)],
        workgroupSize: [LANES, 1, 1],
        body: `  let i = (wg.x + wg.y * groups.x) * ${LANES}u + lane;
  if (i >= p.n) { return; }
  let g = p.gradient_scale * gradient[i];
  let first = p.beta1 * m[i] + p.rest1 * g;
  let second = p.beta2 * v[i] + p.rest2 * g * g;
  m[i] = first;
  v[i] = second;
  let value = p.keep * parameter[i] - p.rate * (first / (sqrt(second) * p.correction + p.epsilon));
  parameter[i] = value;
${hasEma ? '  ema[i] = p.ema_keep * ema[i] + p.ema_rest * value;' : ''}`,
      }))
      const count = isVector ? size / 4 : size
      const params = [
        count,
        gradientScale,
        1 - learningRate * weightDecay,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        1 / Math.sqrt(1 - beta2 ** step.step),
        epsilon,
        learningRate / (1 - beta1 ** step.step),
        emaDecay,
        1 - emaDecay,
      ]
      const outputs = [parameter, m, v, ...(hasEma ? [ema] : [])]
      runtime.run(kernel, [gradient], outputs, params, spread(Math.ceil(count / LANES)))
    },
  }
}
