import {
  add,
  averagePool2d,
  concat,
  conv2d,
  maxPool2d,
  type Padding2d,
  type Params,
  scope,
  type Tensor,
} from '@dit/tensor'
import type { Padding, Step } from './step.js'

/** What the steps make of maps `[B, C, H, W]`; nothing in between outlives its use. */
export function applySteps(steps: readonly Step[], params: Params, x: Tensor): Tensor {
  let current = x
  for (const step of steps) {
    const next = scope(() => applyStep(step, params, current))
    if (current !== x) current.dispose()
    current = next
  }
  return current
}

function applyStep(step: Step, params: Params, x: Tensor): Tensor {
  switch (step.kind) {
    case 'conv': {
      const { weight, window, stride, groups, activation } = step
      const padding = paddingOf(step.padding, x, window, stride)
      return conv2d(x, params[`${weight}.weight`], params[`${weight}.bias`], { stride, padding, groups, activation })
    }
    case 'branches':
      return concat(
        step.branches.map((branch) => applySteps(branch, params, x)),
        1,
      )
    case 'residual':
      return add(x, applySteps(step.steps, params, x))
    default: {
      const { kind, window, stride } = step
      const pool = kind === 'maxPool' ? maxPool2d : averagePool2d
      return pool(x, { window, stride, padding: paddingOf(step.padding, x, [window, window], stride) })
    }
  }
}

/** `same` as TensorFlow has it: ceil(H / stride) windows, and where the padding is odd, more of it below and to the right. */
function paddingOf(
  padding: Padding,
  { shape: [, , height, width] }: Tensor,
  window: readonly [number, number],
  stride: number,
): Padding2d {
  if (padding === 'valid') return {}
  const [rows, columns] = [total(height, window[0], stride), total(width, window[1], stride)]
  return {
    top: Math.floor(rows / 2),
    bottom: Math.ceil(rows / 2),
    left: Math.floor(columns / 2),
    right: Math.ceil(columns / 2),
  }
}

function total(extent: number, window: number, stride: number): number {
  return Math.max(0, (Math.ceil(extent / stride) - 1) * stride + window - extent)
}
