import { type Activation, type Backend, linear, ones, sum, valueAndGrad } from '@dit/tensor'

/** Sum of a linear layer over ones, and how much each of x, weight and bias changes it. */
export async function layer(backend: Backend, [M, K, O]: readonly number[], activation: Activation) {
  const params = {
    x: ones([M, K], { backend }),
    weight: ones([O, K], { backend }),
    bias: ones([O], { backend }),
  }
  const { loss, gradients } = valueAndGrad(params, ({ x, weight, bias }) => ({
    loss: sum(linear(x, weight, bias, { activation })),
  }))
  const valuesOf = async (name: keyof typeof params) => [...(await gradients[name].data())]
  return [(await loss.data())[0], await valuesOf('x'), await valuesOf('weight'), await valuesOf('bias')]
}
