import { forward, parameterShapes } from '@dit/model'
import { attention, type Backend, dispose, matmul, mul, scope, sum, valueAndGrad, zeros } from '@dit/tensor'
import { createTrainer } from '../workloads/training.js'
import { B, type CaseName, type Encode, GEMM, IMAGES, LABELS, model, QKV, TIMESTEPS } from './cases.js'

/** The cases on `@dit/backend-webgpu`. */
export const OWN: Readonly<Record<CaseName, (backend: Backend) => Encode>> = {
  'train-step'(backend) {
    const trainer = createTrainer(backend, model, 'none')
    const images = { xt: zeros(IMAGES, { backend }), noise: zeros(IMAGES, { backend }) }
    return () => {
      const loss = trainer.gradients({ ...images, timesteps: TIMESTEPS(B), labels: LABELS(B) })
      trainer.update()
      return finish(loss)
    }
  },
  sample(backend) {
    const params = Object.fromEntries(
      Object.entries(parameterShapes(model)).map(([name, shape]) => [name, zeros(shape, { backend })]),
    )
    const xt = zeros([2 * B, ...IMAGES.slice(1)], { backend })
    return () => finish(forward(model, params, { xt, timesteps: TIMESTEPS(2 * B), labels: LABELS(2 * B) }))
  },
  gemm(backend) {
    const [a, b] = [zeros([GEMM.M, GEMM.K], { backend }), zeros([GEMM.K, GEMM.N], { backend })]
    return () => {
      for (let call = 1; call < GEMM.calls; call++) matmul(a, b).dispose()
      return finish(matmul(a, b))
    }
  },
  attention(backend) {
    const [B, N, D] = QKV.shape
    const [qkv, dout] = [zeros([B, N, 3 * D], { backend }), zeros([B, N, D], { backend })]
    return () => {
      const { loss, gradients } = valueAndGrad({ qkv }, () => ({
        loss: scope(() => sum(mul(attention(qkv, QKV.numHeads), dout))),
      }))
      const reading = finish(loss)
      return reading.finally(() => dispose(gradients))
    }
  },
}

/** Submits what is left, and reads. */
async function finish(result: ReturnType<typeof zeros>): Promise<void> {
  const reading = result.data()
  await reading
  result.dispose()
}
